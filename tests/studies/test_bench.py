"""What a bench times, and the functions of users that it finds."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from maxpo_cli import advantages
from maxpo_cli.errors import InputError
from maxpo_cli.studies.bench import COLUMNS, NUMBERS, BenchSpec, bench
from maxpo_cli.studies.peers import Peer, find_peer
from maxpo_cli.studies.settings import BenchOptions

SHORT = 1e-4


def bench_spec(**words: object) -> BenchSpec:
    return BenchSpec(BenchOptions(**words))  # type: ignore[arg-type]


def peer(function: Callable[..., object], takes_k: bool = True) -> Peer:
    return Peer("here:function", function, takes_k).fitted(torch.rand(3, 8), 3)


def resemblance(function: Callable[..., object], takes_k: bool = True) -> str:
    return peer(function, takes_k).resemblance(8, 3, seed=0)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    done: list[float] = []
    estimators = ("l2o", "grpo", "passk-training")
    spec = bench_spec(sizes=(4, 64, 128), k=4, estimators=estimators, seconds=SHORT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maxpo_cli.studies.bench.SAMPLED", {"cpu": NUMBERS["cpu"]})
        table = bench(spec, done.append)
    assert sum(done) == pytest.approx(1)
    return table


class TestTable:
    def test_every_way_has_a_row_at_every_size(self, table: pd.DataFrame) -> None:
        assert tuple(table.columns) == COLUMNS
        assert (table.groupby("what")["n"].apply(list) == [[4, 64, 128]] * 16).all()
        assert {"torch.sort", "l2o", "grpo", "l2o by pairs", "l2o by subsets"} <= set(table["what"])
        assert {"gaussian: draws + sort", "8 levels: 7 estimators"} <= set(table["what"])

    def test_times_ratios_and_rates_belong_together(self, table: pd.DataFrame) -> None:
        timed = table[table["seconds_per_group"].notna()]
        assert (timed["seconds_per_group"] > 0).all()
        np.testing.assert_allclose(timed["groups_per_second"] * timed["seconds_per_group"], 1)
        seconds = table.set_index(["what", "n"])["seconds_per_group"]
        for row in timed[timed["floor"] != ""].itertuples():
            assert row.floor_ratio == pytest.approx(
                row.seconds_per_group / seconds[row.floor, row.n]
            )

    def test_an_exponent_is_the_slope_from_64_on(self, table: pd.DataFrame) -> None:
        rows = table[table["what"] == "l2o"].set_index("n")
        times = rows["seconds_per_group"].astype(float)
        assert rows["exponent"].iloc[0] == pytest.approx(np.log2(times[128] / times[64]))

    def test_what_cannot_be_timed_is_a_row_that_says_why(self, table: pd.DataFrame) -> None:
        empty = table[table["seconds_per_group"].isna()]
        assert (empty["note"] != "").all()
        undefined = empty[(empty["what"] == "l2o") & (empty["n"] == 4)]
        assert "defined for K in 2..N-1" in undefined["note"].item()
        subsets = empty[(empty["what"] == "l2o by subsets") & (empty["n"] == 128)]
        assert "C(128, 4) = 10,668,000" in subsets["note"].item()
        refused = empty[empty["what"] == "gaussian: passk-training"]
        assert refused["note"].str.contains("0/1").all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sizes": (1, 8)}, "at least 2"),
        ({"sizes": ()}, "at least 2"),
        ({"k": 0}, "K must be at least 1"),
        ({"sizes": (4,), "k": 8}, "-k must be at most the group size -n; got k=8 with n=4"),
        ({"sizes": (2, 16), "k": 17}, "at most the group size -n; got k=17 with n=16"),
        ({"k": 8, "estimators": ("l2o",)}, "--estimators: .*defined for K in 2..N-1"),
        ({"k": 8, "estimators": ("l2o", "pkpo-loo")}, "--estimators: pkpo-loo is defined for K in"),
        ({"dtype": "float16"}, "float64 or float32"),
        ({"seconds": 0.0}, "above 0"),
        ({"estimators": ("oracle",)}, "true distribution"),
        ({"estimators": ("l20",)}, "did you mean 'l2o'"),
    ],
)
def test_what_cannot_be_timed_at_all_is_one_sentence(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        bench_spec(**{"sizes": (8,), "k": 3} | options)


def test_one_size_or_one_estimator_that_can_be_timed_will_do() -> None:
    assert bench_spec(sizes=(4, 16), k=8, estimators=("l2o",)).sizes == (4, 16)
    assert len(bench_spec(sizes=(8,), k=8, estimators=("l2o", "ei")).asked) == 2


class TestResemblance:
    def test_an_estimator_of_the_catalogue_is_told(self) -> None:
        def l2o(rewards: Tensor, k: int) -> Tensor:
            return advantages("l2o", rewards, k)

        assert resemblance(l2o) == "equals l2o, canonical, 1.6 × canonical-plugin"

    def test_a_factor_is_told(self) -> None:
        def half(rewards: Tensor, k: int) -> Tensor:
            return advantages("ei", rewards, k) / 2

        assert resemblance(half) == "equals 0.5 × ei"

    def test_numpy_and_one_group_at_a_time_will_do(self) -> None:
        def one(rewards: Tensor) -> object:
            (n,) = rewards.shape
            group = np.asarray(rewards)
            return group - (group.sum() - group) / (n - 1)

        assert peer(one, takes_k=False).by_group
        assert resemblance(one, takes_k=False).startswith("equals rloo")

    def test_a_mean_over_all_groups_is_taken_for_a_function_of_one(self) -> None:
        assert peer(lambda rewards: rewards - rewards.mean(), takes_k=False).by_group

    def test_ties_broken_by_order_are_told(self) -> None:
        def by_rank(rewards: Tensor, k: int) -> Tensor:
            """Right only where no rewards are equal: it ranks ties, then uses their places."""
            nudged = rewards + 0.4 * torch.arange(rewards.shape[-1]) * (
                rewards.round() == rewards
            ).all(-1, keepdim=True)
            return advantages("ei", nudged, k)

        assert resemblance(by_rank) == "equals ei, but not on ties"

    def test_what_is_none_of_them_is_told(self) -> None:
        assert resemblance(lambda r, k: r**3 * k) == "equals no estimator of the catalogue"

    @pytest.mark.parametrize(
        ("function", "said"),
        [
            (lambda r: r.sum(), r"it gives an array of shape \[\]"),
            (lambda r: r + 1j, "it gives complex numbers"),
            (lambda r: r.frobnicate(), "AttributeError"),
            (lambda r: str(r), "Error"),
            (lambda _: sys.exit(0), "SystemExit: 0"),
            (lambda _: sys.exit(), "SystemExit"),
        ],
    )
    def test_what_gives_no_advantages_is_refused(
        self, function: Callable[..., object], said: str
    ) -> None:
        expected = rf"cannot be used on 3 groups of 8 rewards with k=3: .*{said}"
        with pytest.raises(InputError, match=expected):
            peer(function, takes_k=False)


class TestFinding:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("torch", "MODULE:FUNCTION"),
            ("no_such_module:f", "ModuleNotFoundError"),
            ("torch:no_such_function", "torch has no no_such_function"),
            ("torch:__version__", "is not a function"),
        ],
    )
    def test_what_is_not_there_is_one_sentence(self, name: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            find_peer(name)

    def test_files_of_the_current_folder_do_not_stand_for_what_is_loaded_later(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        (tmp_path / "a_peer_beside_others.py").write_text("def f(rewards):\n    return rewards\n")
        find_peer("a_peer_beside_others:f")
        assert sys.path[0] != str(tmp_path)
        assert sys.path[-1] == str(tmp_path)

    def test_a_module_that_leaves_the_program_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "a_peer_that_leaves.py").write_text("import sys\nsys.exit(0)\n")
        with pytest.raises(InputError, match="a_peer_that_leaves:f: SystemExit: 0"):
            find_peer("a_peer_that_leaves:f")

    def test_a_module_of_the_current_folder_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "my_peer_of_this_folder.py").write_text(
            "class Mine:\n    @staticmethod\n    def f(rewards, k):\n        return rewards * k\n"
            "def g(rewards, eps=1e-6):\n    return rewards / eps\n"
        )
        assert not find_peer("my_peer_of_this_folder:g").takes_k
        found = find_peer("my_peer_of_this_folder:Mine.f")
        assert found.takes_k
        assert found(torch.ones(2, 3), 4).tolist() == [[4.0] * 3] * 2
