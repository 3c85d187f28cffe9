"""Studies that would take all memory are refused before they ask for any."""

import re
import time
import tracemalloc

import pytest

from maxpo_cli.errors import InputError
from maxpo_cli.studies.api import compare, sweep
from maxpo_cli.studies.bench import BenchSpec
from maxpo_cli.studies.memory import require_memory
from maxpo_cli.studies.settings import BenchOptions


@pytest.mark.parametrize(
    "words",
    [
        {"n": 10**9},
        {"n": 10**9, "engine": "threshold"},
        {"n": 10**9, "engine": "enumeration"},
        {"n": 10**9, "engine": "monte-carlo"},
        {"n": 10**9, "policy": "gaussian"},
        {"n": 200_000, "k": 100_000},
        {"n": 10**15, "k": 10**14},
    ],
)
def test_a_group_that_takes_all_memory_is_one_sentence_at_once(words: dict[str, object]) -> None:
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"GiB of memory.* fits"):
            compare(device="cpu", **words)  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 5


@pytest.mark.parametrize("grid", ["n=8,1000000000", "n=1:1000000000:5:log"])
def test_one_such_value_of_a_grid_is_enough(grid: str) -> None:
    with pytest.raises(InputError, match=r"n=1,000,000,000 with k=4 would take"):
        sweep(policy="bernoulli:p=0.1", grid=grid, device="cpu")


def test_a_benchmark_is_refused_likewise() -> None:
    with pytest.raises(InputError, match="GiB of memory"):
        BenchSpec(BenchOptions(sizes="16,1000000000"))


@pytest.mark.parametrize("n", [10**16, 10**400])
def test_sizes_beyond_all_machines_are_not_repeated(n: int) -> None:
    with pytest.raises(InputError, match="a group size is at most 1,000,000,000,000,000"):
        compare(n=n, device="cpu")


@pytest.mark.parametrize(("n", "k"), [(10**9, 4), (10**9, 1), (10**6, 500_000)])
def test_what_is_said_to_fit_fits(n: int, k: int) -> None:
    with pytest.raises(InputError) as refusal:
        require_memory([n], [k])
    fits = re.search(r"n=([\d,]+) fits", str(refusal.value))
    assert fits is not None
    found = int(fits[1].replace(",", ""))
    assert found > 1000
    require_memory([found], [min(k, found // 2)])


def test_what_studies_use_is_not_refused() -> None:
    require_memory([4096, 10_000, 100_000], [1, 4, 64])
