"""The catalogue: every advantage estimator, what it claims, and for which K it is defined."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction

from torch import Tensor

from maxpo_cli.errors import unknown
from maxpo_cli.estimators import formulas, profiles
from maxpo_cli.estimators.groups import SortedGroups
from maxpo_cli.estimators.profiles import ProfileOf

Compute = Callable[[SortedGroups, int], Tensor]
Scale = Callable[[int, int], Fraction | None]


class Best(Enum):
    """What a baseline of least variance is looked for among."""

    LINEAR = auto()
    MIX = auto()
    CONSTANT = auto()


@dataclass(frozen=True)
class Estimator:
    """One advantage estimator and its claims.

    `profile` is what a rank-linear estimator is; `own` a formula for those that are not, or that
    have a quicker one. The yardsticks have neither, since they need the policy: the oracle, and
    those that have the `best` baseline of a kind. `standardised` is the profile of what such a
    formula divides by std + 1e-6, std of the group. `scale(n, k)` is the claim about the mean:
    E ĝ = scale · ∇J_K on every problem, 1 for an unbiased estimator, None where nothing is
    claimed. K runs from `lowest_k` to N − `short_of_n`; None means any K.
    """

    name: str
    formula: str
    source: str
    unbiased: str
    centered: str
    scale: Scale
    profile: ProfileOf | None = None
    own: Compute | None = None
    best: Best | None = None
    standardised: ProfileOf | None = None
    lowest_k: int = 1
    short_of_n: int | None = 0
    takes_k: bool = True
    smallest_group: int = 1
    binary_only: bool = False

    @property
    def compute(self) -> Compute | None:
        """Sorted groups and K in, advantages out; None for a yardstick."""
        profile = self.profile
        if self.own is not None or profile is None:
            return self.own
        return lambda groups, k: groups.rank_linear(profile, k)

    @property
    def is_linear(self) -> bool:
        """Whether thresholds give its exact figures: it is rank-linear, or a yardstick."""
        return self.profile is not None or self.compute is None

    @property
    def k_range(self) -> str:
        """The range of K in words: `2..N-1`, `any`."""
        if self.short_of_n is None:
            return "any"
        return f"{self.lowest_k}..N" + (f"-{self.short_of_n}" if self.short_of_n else "")

    def refusal(self, n: int, k: int, binary: bool) -> str | None:
        """Why it is not defined for groups of n, this K and these rewards; None when it is."""
        smallest = max(self.smallest_group, self.lowest_k + (self.short_of_n or 0))
        if n < smallest:
            return f"{self.name} needs a group of at least {smallest}; got n={n}"
        if k < 1:
            return f"K must be at least 1; got k={k}"
        if self.short_of_n is not None and not self.lowest_k <= k <= n - self.short_of_n:
            return f"{self.name} is defined for K in {self.k_range}; got k={k} with n={n}"
        if self.binary_only and not binary:
            return f"{self.name} is defined for 0/1 rewards only"
        return None


def _always(_n: int, _k: int) -> Fraction | None:
    return Fraction(1)


def _plugin_scale(n: int, k: int) -> Fraction | None:
    return Fraction(n - k, n)


def _mean_scale(scale: Scale) -> Scale:
    return lambda n, k: scale(n, 1) if k == 1 else None


def _never(_n: int, _k: int) -> Fraction | None:
    return None


CATALOGUE: dict[str, Estimator] = {
    estimator.name: estimator
    for estimator in (
        Estimator(
            name="l2o",
            formula="EI_i − mean over j≠i of EI_j^(−i)",
            source="MaxPO, arXiv:2606.06080",
            unbiased="yes",
            centered="exactly",
            scale=_always,
            profile=profiles.canonical_profile,
            lowest_k=2,
            short_of_n=1,
        ),
        Estimator(
            name="canonical",
            formula="q_i − v_K^(−i)",
            source="MaxPO, arXiv:2606.06080; OrderGrad, arXiv:2606.06096",
            unbiased="yes",
            centered="exactly",
            scale=_always,
            profile=profiles.canonical_profile,
            short_of_n=1,
        ),
        Estimator(
            name="canonical-plugin",
            formula="q_i − v_K",
            source="MaxPO, arXiv:2606.06080, full-batch baseline",
            unbiased="× (N−K)/N",
            centered="exactly",
            scale=_plugin_scale,
            profile=profiles.canonical_plugin_profile,
        ),
        Estimator(
            name="ei",
            formula="q_i − v_{K−1}^(−i); r_i at K=1",
            source="PKPO s^(loo−1), arXiv:2505.15201; RSPO, arXiv:2508.01174",
            unbiased="yes",
            centered="no",
            scale=_always,
            profile=profiles.expected_improvement_profile,
        ),
        Estimator(
            name="pkpo",
            formula="q_i",
            source="PKPO eq. 19, arXiv:2505.15201",
            unbiased="yes",
            centered="no",
            scale=_always,
            profile=profiles.inclusive_profile,
        ),
        Estimator(
            name="pkpo-loo",
            formula="q_i − N/(N−1) · v_K^(−i)",
            source="PKPO eq. 29, arXiv:2505.15201",
            unbiased="yes",
            centered="no",
            scale=_always,
            profile=profiles.pkpo_loo_profile,
            short_of_n=1,
        ),
        Estimator(
            name="passk-training",
            formula="(q_i − v_K) / sqrt(v_K (1 − v_K)); 0/1 rewards",
            source="Pass@k Training, arXiv:2508.10751",
            unbiased="no",
            centered="exactly",
            scale=_never,
            own=formulas.passk_training,
            binary_only=True,
        ),
        Estimator(
            name="grpo-passk",
            formula="(max r − max r without i) / (std + 1e-6)",
            source="arXiv:2503.19595, as frameworks ship it",
            unbiased="no",
            centered="no",
            scale=_never,
            own=formulas.grpo_passk,
            standardised=lambda n, _: profiles.expected_improvement_profile(n, n),
            short_of_n=None,
            takes_k=False,
            smallest_group=2,
        ),
        Estimator(
            name="rloo",
            formula="r_i − mean of the others",
            source="arXiv:2402.14740",
            unbiased="K=1",
            centered="exactly",
            scale=_mean_scale(_always),
            own=formulas.rloo,
            profile=lambda n, _: profiles.canonical_profile(n, 1),
            short_of_n=None,
            takes_k=False,
            smallest_group=2,
        ),
        Estimator(
            name="grpo",
            formula="(r_i − mean) / (std + 1e-6)",
            source="arXiv:2402.03300",
            unbiased="no",
            centered="exactly",
            scale=_never,
            own=formulas.grpo,
            standardised=lambda n, _: profiles.canonical_plugin_profile(n, 1),
            short_of_n=None,
            takes_k=False,
            smallest_group=2,
        ),
        Estimator(
            name="dr-grpo",
            formula="r_i − mean",
            source="arXiv:2503.20783",
            unbiased="no",
            centered="exactly",
            scale=_mean_scale(_plugin_scale),
            own=formulas.dr_grpo,
            profile=lambda n, _: profiles.canonical_plugin_profile(n, 1),
            short_of_n=None,
            takes_k=False,
        ),
        Estimator(
            name="oracle",
            formula="Q_K(x_i) − V_K, the policy's own Q and V",
            source="the population advantage, a yardstick",
            unbiased="yes",
            centered="in mean",
            scale=_always,
            short_of_n=None,
        ),
        Estimator(
            name="best-linear",
            formula="q_i − the best weights on the other rewards, sorted",
            source="the least variance of any such baseline, a yardstick",
            unbiased="yes",
            centered="no",
            scale=_always,
            best=Best.LINEAR,
            smallest_group=2,
        ),
        Estimator(
            name="best-mix",
            formula="q_i − λ v_K^(−i) − μ v_{K−1}^(−i), the best λ and μ",
            source="the best of what canonical and ei subtract, a yardstick",
            unbiased="yes",
            centered="no",
            scale=_always,
            best=Best.MIX,
            smallest_group=2,
        ),
        Estimator(
            name="best-constant",
            formula="q_i − b, the best number b",
            source="the scalar oracle baseline, a yardstick",
            unbiased="yes",
            centered="no",
            scale=_always,
            best=Best.CONSTANT,
        ),
    )
}

DEFAULT_ESTIMATORS = ("canonical", "l2o", "ei", "pkpo", "pkpo-loo", "canonical-plugin", "oracle")


def find(name: str) -> Estimator:
    """The catalogue entry of this name; raises `InputError` naming the nearest one otherwise."""
    if name not in CATALOGUE:
        raise unknown("estimator", name, CATALOGUE)
    return CATALOGUE[name]


def find_all(names: Iterable[str]) -> tuple[Estimator, ...]:
    """The entries of these names, in their order and each once."""
    return tuple(find(name) for name in dict.fromkeys(names))
