"""A result on standard output as JSON, and how far its study is."""

import json
from math import inf, nan

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.studies.catalogue import catalogue_table
from maxpo_cli.studies.identities import check_identities
from maxpo_cli.terminal import progress, screen
from maxpo_cli.terminal.output import print_json


@pytest.mark.parametrize("value", [nan, inf, -inf, None, pd.NA])
def test_json_has_null_where_there_is_no_number(
    value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    print_json({"study": "compare"}, pd.DataFrame({"variance": [value, 0.5], "k": [2, 3]}))
    text = capsys.readouterr().out
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text) == {
        "study": {"study": "compare"},
        "rows": [{"variance": None, "k": 2}, {"variance": 0.5, "k": 3}],
    }


def test_the_json_of_estimators_is_their_table() -> None:
    for flags, table in (((), catalogue_table()), (("--identities",), check_identities(0))):
        done = CliRunner().invoke(app, ["estimators", "--json", *flags])
        assert json.loads(done.stdout)["rows"] == table.to_dict("records")


def test_identities_tell_how_far_they_are() -> None:
    done: list[float] = []
    check_identities(0, done.append)
    assert len(done) > 10
    assert all(0 < share < 0.2 for share in done)
    assert sum(done) == pytest.approx(1.0)


def test_progress_names_its_cells_the_time_left_and_what_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Console(width=80, force_terminal=True, color_system=None, record=True)
    monkeypatch.setattr(screen, "console", lambda **_: terminal)
    with progress.study_progress(False, cells=6, there=2, work=10.0, done=4.0) as study:
        study.begin("bernoulli:p=0.1")
        study.advance(3.0)
        study.add_cells(2)
        study.bar.refresh()
        (line,) = "".join(s.text for s in terminal.render(study.bar)).splitlines()
    assert line.startswith("4/6 cells")
    assert line.rstrip().endswith("left bernoulli:p=0.1")
