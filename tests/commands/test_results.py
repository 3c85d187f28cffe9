"""What a command does with a result that is there: kept, completed, drawn anew or refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.commands import results
from maxpo_cli.engines import choice
from maxpo_cli.errors import InputError
from maxpo_cli.storage.growing_table import GrowingResult

HERE = Path("here")
COMPARE = ("compare", "-n", "6", "-k", "2", "--estimators", "l2o,ei")
SWEEP = ("variance-sweep", "-n", "6", "-k", "2", "--grid", "p=0.1,0.5", "--estimators", "l2o,ei")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{prompt},{i % 2}" for prompt in "ab" for i in range(6)]
    Path("log.csv").write_text("\n".join(["prompt,reward", *rows, ""]))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands draw no figures, which takes longer than the rest."""
    monkeypatch.setattr(results, "draw_figures", lambda *_, **__: None)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engines that are asked to measure, each time."""
    names: list[str] = []

    def counted(name: str, measure: Callable[..., object]) -> Callable[..., object]:
        def wrapper(*arguments: object, **words: object) -> object:
            names.append(name)
            return measure(*arguments, **words)

        return wrapper

    for name, engine in choice.BY_NAME.items():
        monkeypatch.setattr(type(engine), "measure", counted(name, type(engine).measure))
    return names


def maxpo(*arguments: str, out: str = "here") -> str:
    """What a command prints; raises what it refuses."""
    done = CliRunner(env={"COLUMNS": "80"}).invoke(
        app, [*arguments, "--out", out], catch_exceptions=False
    )
    assert done.exit_code == 0
    return done.stdout


def files(folder: Path = HERE) -> dict[str, tuple[bytes, int]]:
    """Every file with its contents and when it was written."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("command", [COMPARE, SWEEP], ids=["compare", "sweep"])
class TestTheSameStudyAgain:
    def test_is_not_measured_and_nothing_is_written(
        self, command: tuple[str, ...], measured: list[str]
    ) -> None:
        first = maxpo(*command)
        before, measured_before = files(), len(measured)
        assert measured_before > 0
        again = maxpo(*command)
        assert len(measured) == measured_before
        assert files() == before
        assert "--overwrite measures it again" not in first
        created = json.loads(before["study.json"][0])["created"][:10]
        assert f"measured on {created}; --overwrite measures it again" in again

    @pytest.mark.usefixtures("undrawn")
    def test_prints_the_same_json(self, command: tuple[str, ...]) -> None:
        assert json.loads(maxpo(*command, "--json")) == json.loads(maxpo(*command, "--json"))

    @pytest.mark.usefixtures("undrawn")
    def test_is_measured_with_overwrite(
        self, command: tuple[str, ...], measured: list[str]
    ) -> None:
        maxpo(*command)
        once, table = len(measured), (HERE / "table.csv").read_bytes()
        maxpo(*command, "--overwrite")
        assert len(measured) == 2 * once
        assert (HERE / "table.csv").read_bytes() == table

    def test_draws_the_figures_that_are_missing_only(
        self, command: tuple[str, ...], measured: list[str]
    ) -> None:
        maxpo(*command)
        before, once = files(), len(measured)
        png, svg = sorted((HERE / "figures").iterdir())
        assert (png.suffix, svg.suffix) == (".png", ".svg")
        svg.unlink()
        left = png.with_name(f".{png.stem}.maxpo-123.svg")
        left.write_text("<svg")  # as a process leaves that is killed while it draws
        maxpo(*command)
        assert len(measured) == once
        assert {name: content for name, (content, _) in files().items()} == {
            name: content for name, (content, _) in before.items()
        }

    @pytest.mark.usefixtures("undrawn")
    def test_is_measured_again_where_its_table_was_cut(
        self, command: tuple[str, ...], measured: list[str]
    ) -> None:
        maxpo(*command)
        whole, once = (HERE / "table.csv").read_bytes(), len(measured)
        (HERE / "table.csv").write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
        maxpo(*command)
        assert len(measured) > once
        assert (HERE / "table.csv").read_bytes() == whole


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        (COMPARE, (*COMPARE, "--seed", "1"), "seed is 0 there, 1 here"),
        (COMPARE, (*COMPARE, "-k", "3"), "k is 2 there, 3 here"),
        (COMPARE, (*COMPARE, "--policy", "bernoulli:p=0.2"), "policy is bernoulli:p=0.1 there"),
        (SWEEP, (*SWEEP, "--rtol", "1e-6"), "rtol is 1e-08 there, 1e-06 here"),
        (SWEEP, COMPARE, "one of maxpo variance-sweep"),
        (COMPARE, SWEEP, "one of maxpo compare"),
    ],
    ids=["seed", "k", "policy", "rtol", "compare over sweep", "sweep over compare"],
)
@pytest.mark.usefixtures("undrawn")
def test_another_study_is_refused_and_replaced_with_overwrite(
    first: tuple[str, ...], second: tuple[str, ...], difference: str
) -> None:
    maxpo(*first)
    before = files()
    with pytest.raises(InputError) as caught:
        maxpo(*second)
    assert f"here holds another study ({difference}" in str(caught.value)
    assert "give --overwrite to replace it, or another folder with --out" in str(caught.value)
    assert files() == before
    maxpo(*second, "--overwrite")
    maxpo(*second, out="alone")
    replaced, alone = files(), files(Path("alone"))
    assert set(replaced) == set(alone)
    for name in set(alone) - {"study.json"}:
        assert replaced[name][0] == alone[name][0]


class TestFiguresOfASweep:
    LINES = '[[plot]]\nkind = "lines"\ny = "{y}"\n'

    def test_another_figure_replaces_the_first_without_measuring(self, measured: list[str]) -> None:
        for y in ("ratio", "scale"):
            Path("study.toml").write_text(self.LINES.format(y=y))
            maxpo(*SWEEP, "--config", "study.toml")
        names = {path.name for path in (HERE / "figures").iterdir()}
        assert names == {"lines-scale.png", "lines-scale.svg"}
        assert len(measured) == 1
        study = json.loads((HERE / "study.json").read_text())
        assert [plot["y"] for plot in study["plot"]] == ["scale"]
        assert study["complete"] is True

    def test_a_figure_that_cannot_be_is_refused_before_anything_is_measured(
        self, measured: list[str]
    ) -> None:
        Path("study.toml").write_text('[[plot]]\nkind = "lines"\nx = "n"\n')
        with pytest.raises(InputError, match=r"\[\[plot\]\] 1: --x n: no such swept column"):
            maxpo(*SWEEP, "--config", "study.toml")
        assert not measured
        assert not HERE.exists()


def test_the_figures_of_a_study_go_with_it() -> None:
    maxpo(*SWEEP)
    maxpo(*COMPARE, "--overwrite")
    assert {path.name for path in (HERE / "figures").iterdir()} == {"compare.png", "compare.svg"}


@pytest.mark.usefixtures("undrawn")
class TestPrompts:
    LOGGED = ("compare", "--rewards", "log.csv", "-n", "4", "-k", "2")

    def test_a_comparison_that_was_stopped_before_its_end_has_its_prompts_at_the_next(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        maxpo(*self.LOGGED, out="whole")

        def stopped(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(GrowingResult, "finish", stopped)
            done = CliRunner().invoke(app, [*self.LOGGED, "--out", "here"])
        assert done.exit_code != 0
        assert (HERE / "table.csv").is_file()
        assert not (HERE / "prompts.csv").exists()
        maxpo(*self.LOGGED)
        for name in ("table.csv", "prompts.csv"):
            assert (HERE / name).read_bytes() == (Path("whole") / name).read_bytes()

    def test_the_rewards_file_is_part_of_the_study(self) -> None:
        maxpo(*self.LOGGED)
        log = Path("log.csv")
        log.write_text(log.read_text() + "c,1\nc,0\n")
        with pytest.raises(InputError, match="its rewards file had other contents"):
            maxpo(*self.LOGGED)


@pytest.mark.usefixtures("undrawn")
def test_the_seconds_are_in_the_study_and_not_in_the_table() -> None:
    maxpo(*COMPARE, "--estimators", "l2o,best-mix")
    study = json.loads((HERE / "study.json").read_text())
    assert set(study["seconds"]) == {"enumeration", "threshold"}
    assert "seconds" not in pd.read_csv(HERE / "table.csv").columns
