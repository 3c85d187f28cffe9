"""What lines, maps and centering figures show, from tables made by hand."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from oracles.made_tables import HEIGHT, NAMES, result_of, sweep
from oracles.pictures import assert_text_is_whole_and_apart

from maxpo_cli.errors import InputError
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.metrics.significance import OF_ROUNDING, without_rounding
from maxpo_cli.plots import style as drawing
from maxpo_cli.plots.coordinates import join, select, swept_columns
from maxpo_cli.plots.frame import inliers
from maxpo_cli.plots.labels import spread
from maxpo_cli.plots.layout import Roles, line_roles, map_roles
from maxpo_cli.plots.names import file_stem
from maxpo_cli.plots.plot import KINDS, STEMS, PlotSpec, draw, prepare, read_plot
from maxpo_cli.plots.ratios import Ratios, edges, equal_lines
from maxpo_cli.plots.scales import swept_kind, swept_places
from maxpo_cli.plots.spec import FORMATS
from maxpo_cli.plots.ticks import even_ticks, number, numbers, round_numbers
from maxpo_cli.storage.folder import is_figure

P = [float(f"{p:.3g}") for p in np.geomspace(0.01, 0.9, 8)]
KS = [1, 2, 3, 4, 6, 8, 12, 16]


@pytest.fixture(scope="module")
def grid() -> pd.DataFrame:
    return sweep({"p": P}, [8, 16], KS)


@pytest.fixture(scope="module")
def rewards() -> pd.DataFrame:
    names = ["identity", "exp", "a-rather-long-reward-name"]
    return sweep({"reward": names, "std": [0.5, 1.0, 2.0]}, [8], [2, 4], stderr=0.1)


def drawn_lines(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    found = {}
    for line in axes.lines:
        if str(line.get_label()) in CATALOGUE:
            x, y = line.get_data()
            found[str(line.get_label())] = (list(x), list(y))
    return found


def texts(axes: Axes) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in axes.texts]


def refused(table: pd.DataFrame, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        draw(result_of(table), PlotSpec(**options))
    return str(caught.value)


# Lines


def test_lines_hold_the_values_of_the_table_where_there_are_any(grid: pd.DataFrame) -> None:
    stem, figure = draw(result_of(grid), PlotSpec(kind="lines", x="k", col="n", where=("p=0.01",)))
    assert stem == "lines-variance_ratio-p0.01"
    for axes, n in zip(figure.axes, (8, 16), strict=True):
        assert axes.get_title(loc="left") == f"N = {n}"
        lines = drawn_lines(axes)
        assert set(lines) == set(NAMES) - {"canonical-plugin"}  # the line of canonical
        for name, (x, y) in lines.items():
            rows = grid[(grid.estimator == name) & (grid.n == n) & (grid.p == 0.01)]
            assert x == list(rows.k)
            np.testing.assert_equal(np.array(y), rows.variance_ratio.to_numpy())


def test_lines_of_a_bias_that_is_rounding_are_at_zero_and_share_a_label(grid: pd.DataFrame) -> None:
    spec = PlotSpec(kind="lines", y="relative_bias", x="p", where=("n=16", "k=4"))
    figure = draw(result_of(grid), spec)[1]
    lines = drawn_lines(figure.axes[0])
    assert {name for name, (_, y) in lines.items() if any(y)} == {"canonical-plugin"}
    assert texts(figure.axes[0]) == [
        "l2o = canonical = ei = pkpo = pkpo-loo = oracle",
        "canonical-plugin",
    ]


def test_bands_reach_from_the_lower_to_the_upper_end_of_the_95_percent_interval() -> None:
    table = sweep({"p": P}, [16], [4], names=("ei",), stderr=0.05)
    axes = draw(result_of(table), PlotSpec(kind="lines"))[1].axes[0]
    (band,) = axes.collections
    ends = band.get_paths()[0].vertices[:, 1]
    assert ends.min() == pytest.approx(1 - 1.959963984540054 * 0.05)
    assert ends.max() == pytest.approx(1 + 1.959963984540054 * 0.05)


def test_text_along_x_makes_unjoined_points_and_a_legend(rewards: pd.DataFrame) -> None:
    figure = draw(result_of(rewards), PlotSpec(kind="lines", x="reward", where=("std=1", "k=4")))[1]
    (axes,) = figure.axes
    labels = [label.get_text().replace("\n", "") for label in axes.get_xticklabels()]
    assert labels == ["identity", "exp", "a-rather-long-reward-name"]
    points = [line for line in axes.lines if line.get_marker() in "osDv^P*" and line.get_marker()]
    assert points
    assert all(line.get_linestyle() == "None" for line in points)
    assert len(figure.legends) == 1


def test_what_leaves_the_frame_is_marked_at_its_edge_and_named_with_its_value() -> None:
    table = sweep({"p": P}, [16], [4])
    pkpo = table.estimator == "pkpo"
    for values, beyond in ((2.0, [P[-1]]), (124.0, P)):
        table.loc[pkpo, "variance_ratio"] = values
        table.loc[pkpo & (table.p == P[-1]), "variance_ratio"] = 7e5
        axes = draw(result_of(table), PlotSpec(kind="lines"))[1].axes[0]
        assert "pkpo ↑ 700000" in texts(axes)
        assert axes.get_ylim()[1] < 100
        (mark,) = (
            line for line in axes.lines if line.get_marker() == "^" and line.get_zorder() > 4
        )
        assert list(mark.get_xdata()) == beyond


def test_one_estimator_far_from_the_others_does_not_squash_them() -> None:
    near = [np.array([value]) for value in (0.78, 0.9, 1.0, 1.07)]
    assert inliers([*near, np.array([124.0])]) == [True] * 4 + [False]
    assert inliers([*near, np.array([124.0]), np.array([1e-3])]) == [True] * 4 + [False] * 2
    assert inliers([*near, np.array([1.5])]) == [True] * 5
    assert inliers([np.array([1.0]), np.array([1e9])]) == [True] * 2


def test_no_line_runs_over_a_cell_without_a_value_and_lone_values_are_marked() -> None:
    table = sweep({"p": P}, [16], [4], names=("ei", "pkpo-loo"))
    gaps = (table.estimator == "ei") & table.p.isin([P[1], P[3]])
    table.loc[gaps, "variance_ratio"] = np.nan
    axes = draw(result_of(table), PlotSpec(kind="lines"))[1].axes[0]
    x, y = drawn_lines(axes)["ei"]
    assert x == P
    assert [place for place, value in enumerate(y) if np.isnan(value)] == [1, 3]
    (line,) = (line for line in axes.lines if line.get_label() == "ei")
    assert {0, 2} <= set(line.get_markevery())
    unmeasured = table[~gaps]
    axes = draw(result_of(unmeasured), PlotSpec(kind="lines"))[1].axes[0]
    assert not np.isnan(drawn_lines(axes)["ei"][1]).any()


def test_lines_that_coincide_everywhere_are_drawn_and_named_as_one() -> None:
    table = sweep({"p": P}, [16], [4])
    axes = draw(result_of(table), PlotSpec(kind="lines"))[1].axes[0]
    assert "l2o" in drawn_lines(axes)
    assert not {"canonical", "canonical-plugin"} & set(drawn_lines(axes))
    assert "l2o = canonical = canonical-plugin" in texts(axes)


def test_the_axis_names_the_reference_and_labels_rename_estimators() -> None:
    table = sweep({"p": P}, [16], [4])
    result = replace(result_of(table), reference="ei")
    axes = draw(result, PlotSpec(kind="lines", label=("ei=Ours", "pkpo=a = b")))[1].axes[0]
    assert axes.get_ylabel() == "variance relative to Ours"
    assert {"Ours", "a = b ↑ 12"} <= set(texts(axes))


@pytest.mark.parametrize("kind", ["lines", "map", "centering"])
def test_a_title_takes_the_place_of_the_own_and_no_title_that_of_both(
    kind: str, grid: pd.DataFrame
) -> None:
    for options, said in (({"title": "My title"}, "My title"), ({"no_title": True}, "")):
        spec = PlotSpec(kind=kind, where=("n=16", "k=4", "k=6"), **options)
        assert draw(result_of(grid), spec)[1].get_suptitle() == said


def test_a_figure_says_which_estimators_have_no_values() -> None:
    table = sweep({"p": P}, [4], [4])
    assert "no values: l2o" in draw(result_of(table), PlotSpec(kind="lines"))[1].get_suptitle()


def test_the_title_names_what_is_fixed_and_not_what_is_swept(grid: pd.DataFrame) -> None:
    figure = draw(result_of(grid), PlotSpec(kind="lines", x="p", col="k", where=("n=16",)))[1]
    assert figure.get_suptitle().split("\n")[1] == "made, N = 16, made"


# Centering


def test_centered_estimators_are_exactly_at_zero_and_named_there(grid: pd.DataFrame) -> None:
    stem, figure = draw(
        result_of(grid), PlotSpec(kind="centering", x="k", where=("n=16", "p=0.01"))
    )
    assert stem == "centering-n16-p0.01"
    lines = drawn_lines(figure.axes[0])
    assert {name for name, (_, y) in lines.items() if not np.nan_to_num(y).any()} == {
        "l2o",
        "canonical",
    }
    assert "canonical = canonical-plugin" in texts(figure.axes[0])


def test_centering_of_one_cell_is_drawn_too(grid: pd.DataFrame) -> None:
    cell = grid[(grid.p == 0.01) & (grid.n == 16) & (grid.k == 4)]
    stem, figure = draw(result_of(cell), PlotSpec(kind="centering"))
    assert stem == "centering"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(NAMES)


# Maps


def test_map_cells_are_ratios_of_matched_variances_and_nothing_where_undefined(
    grid: pd.DataFrame,
) -> None:
    stem, figure = draw(result_of(grid), PlotSpec())
    assert stem == "map-l2o-ei"
    for axes, n in zip(figure.axes, (8, 16), strict=False):
        (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
        shown = np.ma.asarray(mesh.get_array()).reshape(len(KS), len(P))
        for (row, k), (column, p) in ((r, c) for r in enumerate(KS) for c in enumerate(P)):
            if 1 < k < n:
                assert shown[row, column] == pytest.approx((p * k) ** 0.5)
            else:
                assert shown.mask[row, column]


def test_dots_mark_the_cells_above_one_only(grid: pd.DataFrame) -> None:
    axes = draw(result_of(grid), PlotSpec())[1].axes[1]
    dots = {
        xy
        for dot in axes.lines
        if dot.get_marker() == "."
        for xy in zip(*dot.get_data(), strict=True)
    }
    assert dots == {(p, k) for p in P for k in KS if 1 < k < 16 and p * k > 1}


def test_the_line_of_equal_variance_is_where_the_interpolated_ratio_is_one() -> None:
    x, y = np.geomspace(0.01, 1, 9), np.array([1.0, 2, 4, 8, 16, 32])
    lines = equal_lines(Ratios(x, y, np.outer(y, x)))
    points = np.concatenate(lines)
    assert len(points) > 5
    np.testing.assert_allclose(points[:, 0] * points[:, 1], 1, rtol=1e-9)


def test_no_line_of_equal_variance_runs_through_undefined_cells_or_equal_estimators() -> None:
    x = y = np.array([1.0, 2, 3])
    hole = np.full((3, 3), 2.0)
    hole[1] = np.nan
    hole[2] = 0.5
    assert equal_lines(Ratios(x, y, hole)) == []
    assert equal_lines(Ratios(x, y, np.ones((3, 3)))) == []


def test_estimators_that_are_equal_within_rounding_have_no_dots(grid: pd.DataFrame) -> None:
    rounded = grid.copy()
    rounded.loc[rounded.estimator == "l2o", "matched_variance"] *= 1 + 1e-12
    axes = draw(result_of(rounded), PlotSpec(ratio="l2o/canonical"))[1].axes[1]
    assert not any(len(line.get_xdata()) for line in axes.lines)


def test_cells_end_halfway_between_neighbours_on_their_axis() -> None:
    np.testing.assert_allclose(edges(np.array([1.0, 2, 4])), np.array([0.5, 1, 2, 4]) * 2**0.5)
    np.testing.assert_allclose(edges(np.array([1.0, 2, 3])), [0.5, 1.5, 2.5, 3.5])


def test_the_map_explains_the_cells_without_a_ratio(grid: pd.DataFrame) -> None:
    (legend,) = draw(result_of(grid), PlotSpec())[1].legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said[-1] == "no ratio: K > N, l2o undefined"
    (legend,) = draw(result_of(grid), PlotSpec(where=("n=16",), ratio="pkpo/ei"))[1].legends
    assert not any("no ratio" in text.get_text() for text in legend.get_texts())


# Choices


def test_auto_draws_one_cell_as_a_comparison_and_a_short_sweep_as_lines(grid: pd.DataFrame) -> None:
    for options, stem in (
        ({"where": ("n=16", "k=4", "p=0.01")}, "compare-n16-k4-p0.01"),
        ({"where": ("n=16", "k=4")}, "lines-variance_ratio-n16-k4"),
        ({"y": "snr", "where": ("n=16",)}, "lines-snr-n16"),
        ({"ratio": "pkpo/ei"}, "map-pkpo-ei"),
    ):
        assert prepare(result_of(grid), PlotSpec(**options))[0] == stem  # type: ignore[arg-type]


def test_figures_that_show_something_else_have_other_names(grid: pd.DataFrame) -> None:
    stems = [
        prepare(result_of(grid), PlotSpec(kind="lines", **options))[0]  # type: ignore[arg-type]
        for options in (
            {"x": "p"}, {"x": "p", "where": ("n=16",)}, {"x": "p", "where": ("n=16", "k=2")},
            {"x": "p", "where": ("n=8",)}, {"x": "k"}, {"x": "p", "estimators": ("ei", "pkpo")},
            {"x": "p", "estimators": ("ei",)}, {"x": "p", "width": "column"},
            {"x": "p", "width": "100"}, {"x": "p", "col": "k"}, {"x": "p", "y": "snr"},
        )
    ]  # fmt: skip
    assert len(set(stems)) == len(stems)
    assert stems[0] == "lines-variance_ratio"
    usual = PlotSpec(kind="map", x="p", y="k", col="n")
    assert prepare(result_of(grid), usual)[0] == "map-l2o-ei"


@pytest.mark.parametrize(
    "text", ["x/../../../evil", "..", "a\nb", "é" * 300, "\udc80", "a b", "a/b", "a:b", "$_^$", "."]
)
def test_a_file_name_is_plain_whatever_the_table_holds(text: str, grid: pd.DataFrame) -> None:
    stem = file_stem("map", [text])
    assert re.fullmatch(r"map-[\w.-]*", stem, re.ASCII)
    assert ".." not in stem
    assert len(stem) <= 100
    assert stem != file_stem("map", [text + "!"])
    table = grid.replace({"estimator": {"pkpo": text}})
    if "/" not in text:
        assert is_figure(prepare(result_of(table), PlotSpec(ratio=f"{text}/ei"))[0] + ".png")


def test_swept_columns_find_their_places(grid: pd.DataFrame, rewards: pd.DataFrame) -> None:
    assert line_roles(result_of(grid), "p", None, None) == Roles("p", None, "n", "k")
    assert line_roles(result_of(grid), "k", "p", None) == Roles("k", None, "p", "n")
    assert map_roles(result_of(grid), None, None, None, None) == Roles("p", "k", "n")
    assert line_roles(result_of(rewards), None, None, None) == Roles("std", None, "reward", "k")


def test_axes_are_logarithmic_where_values_are_spaced_so() -> None:
    for values in ([1, 2, 4, 8, 16], P, KS, [1, 1000]):
        assert swept_kind(values) == "log"
    for values in ([1, 2, 3, 4], [0, 1, 1000], [8, 16], list(range(1, 17))):
        assert swept_kind(values) == "linear"


def test_ticks_are_few_and_of_one_notation() -> None:
    assert [number(v) for v in (0.01, 1, 1000, 1e-6, -2)] == ["0.01", "1", "1000", "1×10⁻⁶", "−2"]
    assert numbers([0.001, 0.01, 1, 100]) == ["0.001", "0.01", "1", "100"]
    assert numbers([1e-6, 0.01, 1]) == ["10⁻⁶", "10⁻²", "10⁰"]
    assert numbers([2e-6, 1e-5, 0]) == ["2×10⁻⁶", "1×10⁻⁵", "0"]
    assert numbers([4096, 0.9999999, 0.9999998]) == ["4096", "0.9999999", "0.9999998"]
    assert even_ticks(0, 1)[1:] == (["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"], 0)
    assert even_ticks(-5e-5, 1.8e-4)[1:] == (["−0.5", "0.0", "0.5", "1.0", "1.5"], -4)
    assert even_ticks(0, 4e6)[1:] == (["0", "1", "2", "3", "4"], 6)
    assert round_numbers(0.9, 1.1) == [0.9, 1.0, 1.1]
    assert round_numbers(0.009, 1.01) == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
    assert len(round_numbers(1e-30, 1)) <= 8


def test_labels_are_spread_in_order_without_overlap_and_stay_near() -> None:
    wanted, heights = np.array([0.5, 0.5, 0.52, 0.0]), np.full(4, 0.1)
    placed = spread(wanted, heights, 0, 1)
    assert np.diff(np.sort(placed)).min() >= 0.1 - 1e-12
    np.testing.assert_allclose(placed, [0.406667, 0.506667, 0.606667, 0.05], atol=1e-6)


def test_every_estimator_of_the_catalogue_has_a_look_of_its_own() -> None:
    assert set(drawing.LOOKS) == set(CATALOGUE)
    looks = list(drawing.LOOKS.values())
    for kind in (lambda e: (e.marker, e.hollow), lambda e: (e.color, e.dashes)):
        assert len({kind(look) for look in looks}) == len(looks)


# Joining and selecting


def test_results_are_told_apart_by_policy_and_else_by_their_names(grid: pd.DataFrame) -> None:
    small = result_of(grid[(grid.n == 16) & (grid.p == 0.01)])
    other = replace(small, source="other")
    assert swept_columns(join({"a": small, "b": other})) == ("policy", "k")
    same = join({"a": small, "b": small})
    assert swept_columns(same) == ("result", "k")
    nameless = replace(same, coordinates=("policy", "p", "n", "k"))
    with pytest.raises(InputError, match="several rows of canonical at k=1, policy=made, n=16"):
        swept_columns(nameless)


def test_a_swept_column_that_a_result_lacks_comes_from_its_parameters(grid: pd.DataFrame) -> None:
    alone = grid[(grid.p == 0.01)].drop(columns="p")
    joined = join({"sweep": result_of(grid[grid.p == P[1]]), "alone": result_of(alone, p="0.01")})
    assert sorted(joined.table["p"].unique()) == [0.01, P[1]]
    unlike = join({"sweep": result_of(grid), "unlike": result_of(alone)})
    assert "p" not in unlike.coordinates
    assert set(unlike.table["policy"]) == {"made", *(f"made:p={p:g}" for p in P)}


def test_joined_results_share_what_is_the_same_in_all(grid: pd.DataFrame) -> None:
    first = result_of(grid, rewards="0/1", outcomes="1000", std="1")
    second = result_of(grid, rewards="0/1", outcomes="10")
    joined = join({"a": first, "b": second})
    assert (joined.source, joined.parameters) == ("made", {"rewards": "0/1"})
    figure = draw(joined, PlotSpec(kind="lines", x="p", where=("n=16", "k=4")))[1]
    assert figure.get_suptitle().split("\n")[1] == "made:rewards=0/1, N = 16, K = 4, made"
    titles = [axes.get_title(loc="left").replace("\n", "") for axes in figure.axes]
    assert titles == ["outcomes=1000,std=1", "outcomes=10"]
    one = draw(joined, PlotSpec(x="p", where=("n=16", "policy=made:rewards=0/1,outcomes=10")))[1]
    assert one.get_suptitle().split("\n")[1].startswith("made:rewards=0/1,outcomes=10, N = 16")
    unlike = join({"a": first, "b": replace(second, source="other")})
    assert (unlike.source, unlike.parameters) == ("", {})


def test_a_coordinate_that_is_text_in_one_result_is_text_in_all(grid: pd.DataFrame) -> None:
    numbers = result_of(grid.assign(outcomes=10.0))
    joined = join({"numbers": numbers, "text": result_of(grid, outcomes="1/1000")})
    assert set(joined.table["outcomes"]) == {"10", "1/1000"}
    assert len(select(joined, ["outcomes=10"]).table) == len(grid)


def test_logged_rewards_are_named_by_file_and_conditions(grid: pd.DataFrame) -> None:
    logged = result_of(grid, source="logged:runs.csv", model="A")
    figure = draw(logged, PlotSpec(where=("n=16", "k=4")))[1]
    assert figure.get_suptitle().split("\n")[1] == "logged:runs.csv[model=A], N = 16, K = 4, made"


def test_where_takes_either_value_of_a_column_named_twice(grid: pd.DataFrame) -> None:
    chosen = select(result_of(grid), ["k=2", "k=4", "p=1e-2"]).table
    assert set(chosen.k) == {2, 4}
    assert set(chosen.p) == {0.01}


# Text, bytes


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kind": "lines", "x": "p", "where": ("n=16",)},
        {"kind": "lines", "x": "k", "where": ("p=0.01",)},
        {"kind": "centering", "x": "k", "where": ("p=0.01", "n=16")},
        {"kind": "lines", "where": ("k=2", "k=4", "k=6")},
        {"kind": "map", "where": ("n=16",)},
    ],
)
def test_no_text_is_cut_off_or_overlaps(grid: pd.DataFrame, options: dict[str, Any]) -> None:
    assert_text_is_whole_and_apart(draw(result_of(grid), PlotSpec(**options))[1])


def test_no_text_of_awkward_tables_is_cut_off_or_overlaps(rewards: pd.DataFrame) -> None:
    for options in ({"kind": "lines"}, {"kind": "lines", "x": "reward"}):
        assert_text_is_whole_and_apart(draw(result_of(rewards), PlotSpec(**options))[1])
    table = sweep({"p": P}, [16], [4], names=tuple(CATALOGUE))
    assert_text_is_whole_and_apart(draw(result_of(table), PlotSpec(kind="lines"))[1])
    table["variance_ratio"] *= np.where(table.estimator == "pkpo", 1e9, 1)
    assert_text_is_whole_and_apart(draw(result_of(table), PlotSpec(kind="lines"))[1])


@pytest.mark.parametrize("kind", ["map", "lines", "centering"])
def test_files_are_the_same_byte_for_byte(grid: pd.DataFrame, kind: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        figure = draw(result_of(grid), PlotSpec(kind=kind, where=("n=16", "k=3", "k=4")))[1]
        for ending in FORMATS:
            (tmp_path / f"{name}.{ending}").write_bytes(drawing.image(figure, ending))
    for ending in FORMATS:
        one, two = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("one", "two"))
        assert one == two
        assert not any(word in one for word in (b"CreationDate", b"dc:date", b"Software"))


# The orthogonal limit


def test_every_kind_draws_without_the_lengths_that_vanish_in_the_limit(grid: pd.DataFrame) -> None:
    empty = ("gradient_norm", "bias", "bias_stderr", "snr")
    limit = grid.assign(**dict.fromkeys(empty, np.nan), rtol=np.nan)
    for table in (grid, limit):
        biased = drawn_lines(
            draw(result_of(table), PlotSpec(y="relative_bias", x="p", where=("n=16", "k=4")))[
                1
            ].axes[0]
        )
        assert {name for name, (_, y) in biased.items() if any(y)} == {"canonical-plugin"}
    assert draw(result_of(limit), PlotSpec())[0] == "map-l2o-ei"
    assert draw(result_of(limit), PlotSpec(kind="centering", x="k", where=("n=16",)))[1].axes
    figure = draw(result_of(limit), PlotSpec(where=("n=16", "k=4", "p=0.01")))[1]
    drawn = np.concatenate([line.get_xdata() for line in figure.axes[1].lines])
    assert 0.3 in drawn
    said = refused(limit, kind="lines", y="snr/n", x="p", where=("n=16",))
    assert said.endswith("has a value of snr/n: it is empty in the orthogonal limit (outcomes=inf)")


def test_a_panel_without_values_says_so(grid: pd.DataFrame) -> None:
    flat = ("relative_bias", "bias", "misalignment")
    cell = grid[(grid.p == 0.01) & (grid.n == 16) & (grid.k == 4)].assign(
        **dict.fromkeys(flat, np.nan)
    )
    figure = draw(result_of(cell), PlotSpec())[1]
    assert [texts(axes) for axes in figure.axes] == [[], ["no values"], []]
    assert "no row of the selection has a value of bias_z" in refused(
        grid, kind="lines", y="bias_z", x="p"
    )


def test_an_infinite_value_has_a_place_after_the_last_finite_one() -> None:
    assert swept_places([1, 10, 1000, np.inf]) == [1, 10, 1000, 100_000]
    assert swept_places([1, 2, 3, np.inf]) == [1, 2, 3, 4]
    assert swept_places([1, np.inf]) == [1, 2]
    assert swept_places([1, 10]) == [1, 10]
    outcomes = [1.0, 10.0, 100.0, np.inf]
    table = sweep({"outcomes": outcomes}, [16], [4, 8, 12])
    axes = draw(result_of(table), PlotSpec(kind="lines", x="outcomes", where=("k=4",)))[1].axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10", "100", "∞"]
    assert drawn_lines(axes)["ei"][0] == [1, 10, 100, 1000]
    panels = draw(result_of(table), PlotSpec(kind="lines", x="k", col="outcomes"))[1].axes
    assert panels[-1].get_title(loc="left") == "outcomes = inf"
    ratios = draw(result_of(table), PlotSpec(kind="map", x="outcomes", ratio="pkpo/ei"))[1].axes[0]
    assert [label.get_text() for label in ratios.get_xticklabels()][-1] == "∞"


# Kinds


def test_a_bench_has_its_own_kind_which_auto_finds_and_no_option_changes(
    grid: pd.DataFrame,
) -> None:
    table = pd.DataFrame(
        {
            "device": "cpu", "study": ["advantages", "advantages", "monte-carlo", "monte-carlo"],
            "what": "l2o", "n": [8, 16, 8, 16], "k": 4, "seconds_per_group": [1e-6, 2e-6] * 2,
            "floor": [None, None, "draws", "draws"], "floor_ratio": [np.nan, np.nan, 1.5, 1.6],
            "exponent": 1.0,
        }
    )  # fmt: skip
    bench = replace(result_of(grid), table=table, coordinates=(), source="bench")
    stem, figure = draw(bench, PlotSpec())
    assert stem == "bench"
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Advantages", "Monte Carlo"]
    for option in ({"x": "n"}, {"where": ("n=8",)}, {"estimators": ("l2o",)}, {"ratio": "ei/l2o"}):
        with pytest.raises(InputError, match="has no meaning for --kind bench"):
            draw(bench, PlotSpec(**option))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the table has no column estimator"):
        join({"bench": bench, "sweep": result_of(grid)})
    with pytest.raises(InputError, match="the table has no column device"):
        draw(result_of(grid), PlotSpec(kind="bench"))


def test_a_study_file_asks_for_kinds_that_a_study_has() -> None:
    assert read_plot({"kind": "map", "where": ["n=16"]}) == PlotSpec("map", where=("n=16",))
    for name in KINDS:
        if name != "bench":
            assert read_plot({"kind": name}).kind == name
    with pytest.raises(InputError, match="unknown kind of"):
        read_plot({"kind": "bench"})


def test_the_names_of_files_begin_with_the_stem_of_their_kind(grid: pd.DataFrame) -> None:
    cell = ("n=16", "k=4", "p=0.01")
    for kind in ("lines", "map", "centering", "comparison"):
        spec = PlotSpec(kind=kind, where=cell if kind == "comparison" else ("n=16",))
        stem = draw(result_of(grid), spec)[0].partition("-")[0]
        assert stem == (KINDS[kind].stem or kind)
        assert stem in STEMS


# Errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "maps"}, "unknown --kind 'maps'; did you mean 'map'?"),
        ({"kind": "lines", "x": "q"}, "--x q: no such swept column; swept are p, n, k"),
        ({"kind": "lines", "col": "snr"}, "--col snr: no such swept column; swept are p, n, k"),
        ({"kind": "lines", "y": "noise"}, "--y noise: no such metric; there are "),
        ({"kind": "lines", "x": "p", "col": "p"}, "--x and --col are both p"),
        ({"kind": "map", "x": "p", "y": "p"}, "--x and --y are both p"),
        ({"kind": "map", "ratio": "l2o"}, "--ratio must be two estimators as in l2o/ei"),
        ({"kind": "map", "ratio": "l2o/rloo"}, "no 'rloo' in the table; it has canonical, l2o"),
        ({"kind": "map", "estimators": ("ei",)}, "--estimators has no meaning for --kind map"),
        ({"kind": "centering", "y": "snr"}, "--y has no meaning for --kind centering"),
        ({"kind": "comparison"}, "the table holds 128 cells of (p, n, k)"),
        (
            {"estimators": ("rloo",)},
            "unknown name in --estimators of this table 'rloo'; known: canonical, l2o, ei",
        ),
        ({"where": ("k=5",)}, "--where k=5 leaves no rows; k is one of 1, 2, 3, 4, 6, 8"),
        ({"where": ("k=many",)}, "--where k=many: k is a number"),
        ({"where": ("k",)}, "--where must be COLUMN=VALUE; got 'k'"),
        ({"where": ("snr=1",)}, "no column 'snr'; there are policy, p, n, k"),
        ({"kind": "map", "where": ("k=16", "k=8", "n=8")}, "no cell has a matched_variance"),
        ({"kind": "map", "where": ("k=4",), "x": "p", "col": "n"}, "a map needs two swept"),
        ({"kind": "lines", "where": ("n=16", "k=4", "p=0.01")}, "use --kind comparison"),
        ({"kind": "lines", "estimators": ("l2o",), "where": ("k=1",)}, "no row of the selection"),
    ],
)
def test_a_wrong_request_is_told_in_a_sentence_what_there_is(
    grid: pd.DataFrame, options: dict[str, Any], said: str
) -> None:
    assert said in refused(grid, **options)


def test_a_column_without_a_place_and_too_many_panels_are_told(rewards: pd.DataFrame) -> None:
    four = sweep({"a": [1, 2], "b": [1, 2]}, [8, 16], [2, 4])
    assert "is swept too and has no place in the figure" in refused(four, kind="lines")
    assert "--where" in refused(four, kind="lines")
    many = sweep({"p": P}, [32], list(range(2, 30)), names=("ei",))
    assert "more than 24" in refused(many, kind="lines", x="p")
    texts = sweep({"reward": [f"r{i}" for i in range(13)]}, [8], [2], names=("ei",))
    assert "more than the 12 an axis has room for" in refused(texts)
    said = refused(rewards, kind="map", x="reward")
    assert "--x reward: a map's axes are numbers, and this is text" in said


def test_a_table_with_missing_columns_is_told(grid: pd.DataFrame) -> None:
    assert "has no column k, engine; it has" in refused(grid.drop(columns=["k", "engine"]))
    assert "has no column matched_variance" in refused(grid.drop(columns="matched_variance"))
    assert "has no column mse" in refused(grid.drop(columns="mse"), kind="lines", x="p")


@pytest.mark.parametrize("kind", ["lines", "centering"])
@pytest.mark.parametrize("column", sorted(set(OF_ROUNDING)))
def test_each_column_that_tells_rounding_is_told_where_it_is_missing(
    kind: str, column: str, grid: pd.DataFrame
) -> None:
    assert f"has no column {column}; it has" in refused(grid.drop(columns=column), kind=kind, x="p")


def test_what_is_rounding_is_told_by_these_columns_alone(grid: pd.DataFrame) -> None:
    columns = list(dict.fromkeys(OF_ROUNDING))
    whole, part = without_rounding(grid), without_rounding(grid[columns])
    pd.testing.assert_frame_equal(part, whole[columns])


def test_the_height_of_a_hand_made_line_is_the_tables() -> None:
    table = sweep({"p": P}, [16], [4])
    lines = drawn_lines(draw(result_of(table), PlotSpec())[1].axes[0])
    assert lines["pkpo"][1] == [HEIGHT["pkpo"]] * len(P)


@pytest.mark.parametrize(
    ("factor", "quieter", "ends"), [(1.1, "ei", (1, 1.25)), (0.9, "l2o", (0.8, 1))]
)
def test_where_one_is_always_quieter_the_bar_has_its_colours_and_words_only(
    factor: float, quieter: str, ends: tuple[float, float], grid: pd.DataFrame
) -> None:
    sided = grid[grid["estimator"].isin(["l2o", "ei"])].copy()
    sided["matched_variance"] = np.where(sided["estimator"] == "l2o", factor, 1.0)
    figure = draw(result_of(sided), PlotSpec(ratio="l2o/ei"))[1]
    bar = figure.axes[-1]
    assert bar.get_xlim() == pytest.approx(ends)
    assert [f"{name} quieter" in bar.get_xlabel() for name in ("l2o", "ei")] == [
        name == quieter for name in ("l2o", "ei")
    ]
    said = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert ("dots: ei quieter (ratio above 1)" in said) == (quieter == "ei")
    assert not any("equal variance" in text for text in said)
