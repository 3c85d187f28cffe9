"""What may not change a figure, or be left by drawing one: files and variables of the user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from oracles.made_tables import result_of, sweep

from maxpo_cli.plots.fonts import OWN, families
from maxpo_cli.plots.plot import PlotSpec, draw
from maxpo_cli.plots.style import image

DRAW = """
import hashlib, sys
sys.path[:0] = [sys.argv[1]]
from maxpo_cli.plots.plot import PlotSpec, draw
from maxpo_cli.plots.style import image
from oracles.made_tables import result_of, sweep
figure = draw(result_of(sweep({"p": [0.1, 0.2]}, [8], [2])), PlotSpec())[1]
print(*(hashlib.sha256(image(figure, ending)).hexdigest() for ending in ("png", "svg", "pdf")))
"""
RC = "axes.facecolor: red\nfont.size: 30\nbackend: nonsense\nfigure.autolayout: True\n"


def drawn(folder: Path, **variables: str) -> str:
    """The hashes of a figure that another process draws in a folder, which must say nothing."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **variables}
    oracles = str(Path(__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRAW, oracles],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stderr == ""
    return run.stdout


def test_no_file_and_no_variable_changes_a_figure(tmp_path: Path) -> None:
    plain, styled, broken = (tmp_path / name for name in ("plain", "styled", "broken"))
    for folder in (plain, styled, broken):
        folder.mkdir()
    (styled / "matplotlibrc").write_text(RC)
    (broken / "matplotlibrc").write_bytes(b"\xff\xfe\x00: \x81")
    expected = drawn(plain)
    assert len(expected.split()) == 3
    assert drawn(styled) == expected
    assert drawn(broken, MPLBACKEND="nonsense", MATPLOTLIBRC=str(styled)) == expected


def test_a_home_that_cannot_be_written_to_leaves_nothing_in_the_temporary_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    nowhere = str(tmp_path / "file" / "home")  # below a file, so that root cannot write there too
    drawn(
        tmp_path, HOME=nowhere, TMPDIR=str(tmp_path / "tmp"), XDG_CACHE_HOME="", XDG_CONFIG_HOME=""
    )
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.fixture
def chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an installed font that has two Chinese characters, drawn as letters."""
    font = TTFont(font_manager.findfont("DejaVu Serif"))
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap |= {ord("模"): "A", ord("型"): "B"}
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = "Two Characters"
    font.save(tmp_path / "two.ttf")
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [*manager.ttflist])
    manager.addfont(tmp_path / "two.ttf")
    return "Two Characters"


def test_fonts_that_are_there_are_taken_for_characters_that_ours_lacks(chinese: str) -> None:
    assert families("p = 0.1 ≤ ∇ 10⁻⁷") == [OWN]
    assert families("模型 a") == [OWN, chinese]
    assert families("\U0010fffd") == [OWN]
    table = sweep({"p": [0.1, 0.2]}, [8], [2]).replace({"estimator": {"ei": "模型"}})
    figure = draw(result_of(table), PlotSpec())[1]
    for ending in ("png", "pdf", "svg"):
        assert image(figure, ending)
    assert chinese.encode() in image(figure, "svg")


def test_pdf_has_truetype_fonts_and_svg_has_texts() -> None:
    figure = draw(result_of(sweep({"p": [0.1, 0.2]}, [8], [2])), PlotSpec())[1]
    pdf = image(figure, "pdf")
    assert b"/Type3" not in pdf
    assert b"/CIDFontType2" in pdf
    assert b">pkpo-loo<" in image(figure, "svg")
