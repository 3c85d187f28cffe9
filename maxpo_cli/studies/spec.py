"""The spec of a study: its policy, its grid and its settings, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from maxpo_cli.engines.choice import NAMES as ENGINES
from maxpo_cli.engines.device import find_device
from maxpo_cli.engines.engine import Precision
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.estimators.lookup import find_all
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.policies.files import RewardsTemplate
from maxpo_cli.policies.policy import TEXT, Key
from maxpo_cli.policies.spec import PolicyTemplate
from maxpo_cli.studies.grid import Axis, parse_grid
from maxpo_cli.studies.memory import require_memory
from maxpo_cli.studies.settings import Settings

DTYPES = {"float64": torch.float64, "float32": torch.float32}

Template = PolicyTemplate | RewardsTemplate


@dataclass(frozen=True)
class StudySpec:
    """A study: a policy template whose open keys, N and K the `grid` items give, and settings.

    A comparison is a study without a grid. Two studies of the same spec have the same table.
    """

    template: Template
    settings: Settings
    grid: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises `InputError` for a setting that no study can take."""
        settings = self.settings
        for option, size in (("-n", settings.n), ("-k", settings.k)):
            if size < 1:
                raise InputError(f"{option} must be at least 1; got {size}")
        if settings.groups < 2:
            raise InputError(f"--groups must be at least 2; got {settings.groups}")
        until = settings.until_rel_error
        if until is not None and not 0 < until < 1:
            raise InputError(f"--until-rel-error must be above 0 and below 1; got {until:g}")
        if not 0 < settings.rtol < 1:
            raise InputError(f"--rtol must be above 0 and below 1; got {settings.rtol:g}")
        if not 0 <= settings.seed < 2**63:
            raise InputError(f"--seed must be from 0 to 2^63 − 1; got {settings.seed}")
        if settings.engine not in ENGINES:
            raise unknown("--engine", settings.engine, ENGINES)
        if settings.dtype not in DTYPES:
            raise unknown("--dtype", settings.dtype, DTYPES)
        if not self.asked:
            raise InputError("--estimators: name one or more, or all")
        _ = self.unit, self.precision  # which raise for a reference or a device that is not there
        require_memory(self._sizes("n", settings.n), self._sizes("k", settings.k))

    @cached_property
    def asked(self) -> tuple[Estimator, ...]:
        """The estimators asked for, each once; `InputError` for an unknown name."""
        return _named("--estimators", self.settings.names)

    @cached_property
    def unit(self) -> Estimator:
        """The reference estimator; `InputError` for an unknown name."""
        return _named("--reference", (self.settings.reference,))[0]

    @cached_property
    def precision(self) -> Precision:
        """The precision and the device; `InputError` for a device that is not there."""
        return Precision(
            groups=self.settings.groups,
            rtol=self.settings.rtol,
            seed=self.settings.seed,
            device=find_device(self.settings.device),
            dtype=DTYPES[self.settings.dtype],
        )

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The swept names and values; raises `InputError` as `parse_grid` does."""
        return parse_grid(self.grid, self._key)

    @cached_property
    def swept(self) -> tuple[str, ...]:
        """The swept names except N and K, which are columns of every table."""
        return tuple(axis.name for axis in self.axes if axis.name not in ("n", "k"))

    def _sizes(self, name: str, size: int) -> list[int]:
        """The values of N or K in all cells."""
        swept = [axis.values for axis in self.axes if axis.name == name]
        return [int(value) for value in swept[0]] if swept else [size]

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The columns that say where a row stands."""
        return ("policy", *self.swept, "n", "k")

    @property
    def parameters(self) -> Mapping[str, str]:
        """The keys of the policy that are the same in all cells."""
        return {k: v for k, v in self.template.parameters.items() if k not in self.swept}

    def _key(self, name: str) -> Key:
        if name in BY_NAME:
            raise InputError(f"--grid {name}: every table has a column '{name}' of its own")
        if isinstance(self.template, RewardsTemplate):
            return TEXT  # a column of the file, whose rows are chosen by their value
        keys = self.template.keys
        if name not in keys:
            raise unknown(f"--grid name for {self.template.name}", name, ["n", "k", *keys])
        return keys[name]


def _named(option: str, names: tuple[str, ...]) -> tuple[Estimator, ...]:
    try:
        return find_all(names)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None
