"""The words of studies, with their defaults: what the command line and Python take.

Nothing here needs torch, so that `--help` is quick; `spec.py` says what the words mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from maxpo_cli.errors import InputError

Grid = str | Sequence[str] | Mapping[str, object]
"""What Python takes as a grid: items NAME=VALUES, or a text, a value or several of each name."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a study measures: words that every study takes.

    Attributes:
        n, k: the group size and K of every cell, unless they are swept.
        estimators: names of estimators, or of sets: `default`, `all`; also as one text, separated
            by commas.
        engine: `auto` or the name of an engine.
        groups: groups that Monte Carlo samples of a problem.
        until_rel_error: where given, sampling of a cell stops before `groups` once the standard
            error of every variance ratio is at most this share of it.
        rtol: share of itself by which no metric may move any more when an integral is refined.
        seed: that of the random draws.
        device: `auto`, `cpu`, `cuda` or `cuda:i`.
        dtype: what advantages are computed in, `float64` or `float32`.
        reference: the estimator whose variance is the unit of ratios.
    """

    n: int = 16
    k: int = 4
    estimators: str | Sequence[str] = "default"
    engine: str = "auto"
    groups: int = 100_000
    until_rel_error: float | None = None
    rtol: float = 1e-8
    seed: int = 0
    device: str = "auto"
    dtype: str = "float64"
    reference: str = "ei"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of `estimators`, each once."""
        return listed(self.estimators)

    def only(self) -> "Settings":
        """The settings of a wider set of words.

        Raises `InputError` for a size, a number of groups or a seed that is not a whole number.
        """
        return Settings(
            n=_whole("-n", self.n),
            k=_whole("-k", self.k),
            estimators=self.names,
            engine=self.engine,
            groups=_whole("--groups", self.groups),
            until_rel_error=self.until_rel_error,
            rtol=self.rtol,
            seed=_whole("--seed", self.seed),
            device=self.device,
            dtype=self.dtype,
            reference=self.reference,
        )


@dataclass(frozen=True, kw_only=True)
class StudyOptions(Settings):
    """The words of `compare`: a policy or logged rewards, and settings.

    Attributes:
        policy: a policy spec; `DEFAULT_POLICY` where neither it nor rewards are given.
        rewards: a file of logged rewards.
        group_column, reward_column: its columns for the prompt and the reward.
        where: conditions COLUMN=VALUE on its rows.
    """

    policy: str | None = None
    rewards: str | PathLike[str] | None = None
    group_column: str | None = None
    reward_column: str | None = None
    where: str | Sequence[str] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of `where`, of which one may be given as a text."""
        return (self.where,) if isinstance(self.where, str) else tuple(self.where)


@dataclass(frozen=True, kw_only=True)
class SweepOptions(StudyOptions):
    """The words of `variance-sweep`.

    `grid` has items NAME=VALUES, or values by name: a text such as `0.1:0.9:9` or `2,4`, or one or
    several values. It is `DEFAULT_GRID` where neither it, a policy nor rewards are given.
    """

    grid: Grid = ()

    @property
    def has_default_grid(self) -> bool:
        """Whether neither a grid, a policy nor rewards are given."""
        return not self.grid and self.policy is None and self.rewards is None

    @property
    def items(self) -> tuple[str, ...]:
        """The items NAME=VALUES of the grid."""
        if self.has_default_grid:
            return DEFAULT_GRID
        if isinstance(self.grid, str):
            return (self.grid,)
        if not isinstance(self.grid, Mapping):
            return tuple(self.grid)
        return tuple(f"{name}={_values_text(values)}" for name, values in self.grid.items())


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """The words of `bench`.

    Attributes:
        sizes: group sizes N; also as one text, separated by commas.
        k: K of max@K.
        estimators: the estimators to time, as in `Settings`.
        peers: functions of the user, as MODULE:FUNCTION.
        seconds: how long each row is timed at least.
        seed, device, dtype: as in `Settings`.
    """

    sizes: str | Sequence[int] = "16,64,256,1024,4096"
    k: int = Settings.k
    estimators: str | Sequence[str] = "l2o"
    peers: Sequence[str] = ()
    seconds: float = 0.2
    seed: int = Settings.seed
    device: str = Settings.device
    dtype: str = Settings.dtype

    @property
    def names(self) -> tuple[str, ...]:
        """The names of `estimators`, each once."""
        return listed(self.estimators)


DEFAULT_POLICY = "bernoulli:p=0.1"
DEFAULT_GRID = ("p=0.01:0.9:20:log", "k=2,4,8")
"""What is swept where neither a grid, a policy nor rewards are given."""

DEFAULT_COLUMNS = ("prompt", "reward")
"""The columns of logged rewards for the prompt and the reward."""


def listed(names: str | Sequence[str]) -> tuple[str, ...]:
    """Names, each once; of a text those between its commas."""
    every = names.split(",") if isinstance(names, str) else names
    return tuple(dict.fromkeys(name.strip() for name in every if name.strip()))


def axis_name(item: str) -> str:
    """The name of an item NAME=VALUES."""
    return item.partition("=")[0].strip()


def given_twice(size: str) -> InputError:
    """An error for a size, `n` or `k`, that has one value and stands on the grid too."""
    return InputError(f"-{size} and --grid {size}=… exclude each other: give one of them")


def _values_text(values: object) -> str:
    """The values of a swept name as the command line has them."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return str(values)
    return ",".join(map(str, values))


def _whole(option: str, value: float) -> int:
    """A whole number, whichever type of number it is."""
    try:
        whole = int(value)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != value:
        raise InputError(f"{option} must be a whole number; got {value!r}")
    return whole
