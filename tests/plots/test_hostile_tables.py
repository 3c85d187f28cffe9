"""Figures of tables that nobody would wish for, at the width of a column and of a page."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import parse

import numpy as np
import pandas as pd
import pytest
from oracles.made_tables import result_of, sweep
from oracles.pictures import assert_text_is_whole_and_apart

from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.plots import style as drawing
from maxpo_cli.plots.plot import PlotSpec, draw
from maxpo_cli.storage.result import Result

P = [float(f"{p:.3g}") for p in np.geomspace(0.01, 0.9, 5)]
EVERY = tuple(CATALOGUE)
NAME = "an-estimator-whose-name-nobody-can-remember-" * 8


def named(table: pd.DataFrame, **names: str) -> pd.DataFrame:
    return table.replace({"estimator": {key.replace("_", "-"): v for key, v in names.items()}})


def times(table: pd.DataFrame, estimator: str, factor: float) -> pd.DataFrame:
    columns = ["variance_ratio", "matched_variance", "variance", "snr", "centering_max"]
    here = np.where(table.estimator == estimator, factor, 1.0)
    return table.assign(**{column: table[column] * here for column in columns})


def peers(table: pd.DataFrame, count: int) -> pd.DataFrame:
    first = table[table.estimator == "ei"]
    more = [
        first.assign(estimator=f"peer{i}", variance_ratio=first.variance_ratio * (1 + i / 9))
        for i in range(count)
    ]
    return pd.concat([table, *more], ignore_index=True)


LINES = sweep({"p": P}, [16], [4])
TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "all estimators": lambda: sweep({"p": P}, [16], [4], names=EVERY),
    "far more estimators": lambda: peers(sweep({"p": P}, [16], [4], names=EVERY), 12),
    "one outlier": lambda: times(LINES, "pkpo", 124),
    "outliers both ways": lambda: times(times(LINES, "pkpo", 1e12), "oracle", 1e-12),
    "tiny numbers": lambda: LINES.assign(variance_ratio=LINES.variance_ratio * 1e-200, snr=3e-9),
    "huge and infinite": lambda: times(times(LINES, "pkpo", np.inf), "ei", 1e307),
    "hardly different": lambda: LINES.assign(variance_ratio=1 + 1e-9 * LINES.variance_ratio),
    "long names": lambda: named(LINES, ei=NAME, pkpo=NAME.upper()),
    "mathtext and markup": lambda: named(LINES, ei="$_^$", pkpo=r"$\frac$ {}", oracle="[/b]<b>&"),
    "control characters": lambda: named(LINES, ei="a\nb\x1b[31m\x00", pkpo="\udc80\ufffe\u202e"),
    "Chinese": lambda: named(LINES, ei="模型一", pkpo="估计量" * 30),
    "tiny steps": lambda: sweep({"p": [0.9999991, 0.9999992, 0.9999999]}, [16], [4]),
    "sizes of all kinds": lambda: sweep({"p": P[:1]}, [4, 1024, 10**6, 10**9], [4]),
    "many panels": lambda: sweep({"p": P, "q": list(range(6))}, [16], [2, 4]),
    "long texts": lambda: sweep({"reward": [NAME, "exp", "x" * 400]}, [16], [2, 4], stderr=0.4),
    "names of columns": lambda: sweep({"$_^$ " + NAME: P}, [16], [2, 4]),
    "infinite outcomes": lambda: sweep({"outcomes": [1.0, 10.0, 1e5, np.inf]}, [16], [2, 4]),
}


def result(name: str) -> Result:
    return replace(result_of(TABLES[name](), source="x:" + NAME, spec=NAME), reference="ei")


def figure_of(name: str, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(result(name), PlotSpec(**options))[1]
        if options["width"] == "page":
            assert drawing.image(figure, "png")
            parse(BytesIO(drawing.image(figure, "svg")))
    return figure


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("name", TABLES)
def test_texts_of_lines_are_whole_and_apart_and_what_is_drawn_is_named(
    name: str, width: str
) -> None:
    figure = figure_of(name, kind="lines", width=width)
    assert_text_is_whole_and_apart(figure)
    drawn = {str(line.get_label()) for axes in figure.axes for line in axes.lines}
    drawn |= {str(c.get_label()) for axes in figure.axes for c in axes.containers}
    drawn = {label for label in drawn if not label.startswith("_")}
    for legend in figure.legends:
        assert len(legend.get_texts()) == len(drawn)


ALL_ALIKE = ("many panels", "names of columns", "infinite outcomes", "sizes of all kinds")
"""Tables of which one cell is as any."""


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("name", [name for name in TABLES if name not in ALL_ALIKE])
def test_texts_of_comparisons_are_whole_and_apart(name: str, width: str) -> None:
    table = result(name).table
    rows = table[~table.duplicated("estimator")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cell = replace(result(name), table=rows)
        for kind in ("comparison", "centering"):
            figure = draw(cell, PlotSpec(kind=kind, width=width))[1]
            assert_text_is_whole_and_apart(figure)


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("name", ["names of columns", "many panels", "infinite outcomes"])
def test_texts_of_maps_and_of_centering_are_whole_and_apart(name: str, width: str) -> None:
    for options in ({"kind": "map", "ratio": "pkpo/ei"}, {"kind": "centering"}):
        assert_text_is_whole_and_apart(figure_of(name, width=width, **options))


def test_every_estimator_has_a_colour_and_a_marker_of_its_own_also_unknown_ones() -> None:
    looks = drawing.appearances([*CATALOGUE, *(f"peer{i}" for i in range(20))])
    assert len({(a.look.color, a.look.marker, a.look.hollow) for a in looks.values()}) == 35
    known = [looks[name].look for name in CATALOGUE]
    assert len({look.color for look in known}) == len(known)
    assert len({(look.marker, look.hollow) for look in known}) == len(known)


def bench(names: list[str], sizes: list[int], device: str = "cpu") -> Result:
    """A bench of these names, in Monte Carlo on two policies too."""
    rows = []
    for place, name in enumerate(names):
        whats = [name, f"gaussian: {name}", f"8 levels: {name}"]
        for what, n in [(what, n) for what in whats for n in sizes]:
            sampled = what != name
            rows.append(
                {
                    "device": device, "study": "monte-carlo" if sampled else "advantages",
                    "what": what, "n": n, "k": 4, "seconds_per_group": n * (1 + place) * 1e-7,
                    "floor": "draws" if sampled else None, "floor_ratio": 1 + place / 3,
                    "exponent": 1.0,
                }
            )  # fmt: skip
    return replace(result_of(LINES), table=pd.DataFrame(rows), coordinates=(), source="bench")


BENCHES = {
    "estimators": lambda: bench([n for n in EVERY if CATALOGUE[n].trainable], [16, 64, 256, 1024]),
    "own functions": lambda: bench(["l2o", "a:f", "a:$_^$"], [16, 17, 18, 19, 20, 4096]),
    "long names": lambda: bench(["l2o", NAME], [8], device=NAME),
}


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_has_one_look_per_estimator_and_whole_texts(name: str, width: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(BENCHES[name](), PlotSpec(width=width))[1]
        assert_text_is_whole_and_apart(figure)
    left, right = ({line.get_label(): line for line in axes.lines} for axes in figure.axes)
    looks = {
        str(label).split("  ~")[0]: (line.get_color(), line.get_marker())
        for label, line in left.items()
    }
    assert len(set(looks.values())) == len(looks)
    compared = 0
    for label, line in right.items():
        policy, colon, estimator = str(label).partition(": ")
        if colon:
            assert (line.get_color(), line.get_marker()) == looks[estimator], policy
            compared += 1
    assert compared == 2 * len(looks)
