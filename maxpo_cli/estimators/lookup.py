"""Estimators by their names, and the names of sets of them."""

import copyreg
from collections.abc import Callable, Iterable
from pickle import PicklingError

from maxpo_cli.errors import unknown
from maxpo_cli.estimators.catalogue import ENTRIES
from maxpo_cli.estimators.kinds import Estimator

CATALOGUE: dict[str, Estimator] = {estimator.name: estimator for estimator in ENTRIES}

DEFAULT_ESTIMATORS = ("canonical", "l2o", "ei", "pkpo", "pkpo-loo", "canonical-plugin", "oracle")

SETS = {"default": DEFAULT_ESTIMATORS, "all": tuple(CATALOGUE)}
"""Names that stand for several estimators."""


def find(name: str) -> Estimator:
    """The catalogue entry of this name; raises `InputError` naming the nearest one otherwise."""
    if name not in CATALOGUE:
        raise unknown("estimator", name, CATALOGUE)
    return CATALOGUE[name]


def find_all(names: Iterable[str]) -> tuple[Estimator, ...]:
    """The entries of these names and sets, in their order and each once."""
    every = (name for chosen in names for name in SETS.get(chosen, (chosen,)))
    return tuple(find(name) for name in dict.fromkeys(every))


def _by_name(estimator: Estimator) -> tuple[Callable[[str], Estimator], tuple[str]]:
    """How an estimator is pickled: formulas do not travel between processes, names do."""
    if CATALOGUE.get(estimator.name) is not estimator:
        raise PicklingError(
            f"{estimator.name} is not the catalogue's: only its entries are pickled"
        )
    return find, (estimator.name,)


for _kind in {type(entry) for entry in ENTRIES}:
    copyreg.pickle(_kind, _by_name)
