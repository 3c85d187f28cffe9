"""The catalogue: every advantage estimator, with its formula, its source and what it claims."""

from maxpo_cli.estimators import formulas, profiles
from maxpo_cli.estimators.claims import BIASED, PLUG_IN, UNBIASED, AnyK, Centering, Claims, KRange
from maxpo_cli.estimators.claims import at_k_1 as for_the_mean
from maxpo_cli.estimators.kinds import (
    BaselineFamily,
    BestBaseline,
    Estimator,
    Oracle,
    OwnFormula,
    RankLinear,
    Standardised,
)

ENTRIES: tuple[Estimator, ...] = (
    RankLinear(
        name="l2o",
        formula="EI_i − mean over j≠i of EI_j^(−i)",
        source="Leave-Two-Out: MaxPO, arXiv:2606.06080",
        claims=Claims(UNBIASED, Centering.EXACTLY, KRange(lowest=2, short_of_n=1)),
        profile=profiles.canonical_profile,
    ),
    RankLinear(
        name="canonical",
        formula="q_i − v_K^(−i)",
        source="MaxPO, arXiv:2606.06080; OrderGrad, arXiv:2606.06096",
        claims=Claims(UNBIASED, Centering.EXACTLY, KRange(short_of_n=1)),
        profile=profiles.canonical_profile,
    ),
    RankLinear(
        name="canonical-plugin",
        formula="q_i − v_K",
        source="MaxPO, arXiv:2606.06080, full-batch baseline",
        claims=Claims(PLUG_IN, Centering.EXACTLY),
        profile=profiles.canonical_plugin_profile,
    ),
    RankLinear(
        name="ei",
        formula="q_i − v_{K−1}^(−i); r_i at K=1",
        source="expected improvement: PKPO s^(loo−1), arXiv:2505.15201; RSPO, arXiv:2508.01174",
        claims=Claims(UNBIASED, Centering.NO),
        profile=profiles.expected_improvement_profile,
    ),
    RankLinear(
        name="pkpo",
        formula="q_i",
        source="PKPO eq. 19, arXiv:2505.15201",
        claims=Claims(UNBIASED, Centering.NO),
        profile=profiles.inclusive_profile,
    ),
    RankLinear(
        name="pkpo-loo",
        formula="q_i − N/(N−1) · v_K^(−i)",
        source="PKPO eq. 29, arXiv:2505.15201",
        claims=Claims(UNBIASED, Centering.NO, KRange(short_of_n=1)),
        profile=profiles.pkpo_loo_profile,
    ),
    OwnFormula(
        name="passk-training",
        formula="(q_i − v_K) / sqrt(v_K (1 − v_K)); 0/1 rewards",
        source="Pass@k Training, arXiv:2508.10751",
        claims=Claims(BIASED, Centering.EXACTLY, binary_only=True),
        compute=formulas.passk_training,
    ),
    Standardised(
        name="grpo-passk",
        formula="(max r − max r without i) / (std + 1e-6)",
        source="arXiv:2503.19595, as frameworks ship it",
        claims=Claims(BIASED, Centering.NO, AnyK(), takes_k=False, smallest_group=2),
        profile=lambda n, _: profiles.expected_improvement_profile(n, n),
        numerator=formulas.lead_of_the_best,
    ),
    RankLinear(
        name="rloo",
        formula="r_i − mean of the others",
        source="arXiv:2402.14740",
        claims=Claims(
            for_the_mean(UNBIASED, "K=1"),
            Centering.EXACTLY,
            AnyK(),
            takes_k=False,
            smallest_group=2,
        ),
        profile=lambda n, _: profiles.canonical_profile(n, 1),
        direct=formulas.less_mean_of_others,
    ),
    Standardised(
        name="grpo",
        formula="(r_i − mean) / (std + 1e-6)",
        source="arXiv:2402.03300",
        claims=Claims(BIASED, Centering.EXACTLY, AnyK(), takes_k=False, smallest_group=2),
        profile=lambda n, _: profiles.canonical_plugin_profile(n, 1),
        numerator=formulas.less_mean,
    ),
    RankLinear(
        name="dr-grpo",
        formula="r_i − mean",
        source="arXiv:2503.20783",
        claims=Claims(for_the_mean(PLUG_IN, "no"), Centering.EXACTLY, AnyK(), takes_k=False),
        profile=lambda n, _: profiles.canonical_plugin_profile(n, 1),
        direct=formulas.less_mean,
    ),
    Oracle(
        name="oracle",
        formula="Q_K(x_i) − V_K, the policy's own Q and V",
        source="the population advantage, a yardstick",
        claims=Claims(UNBIASED, Centering.IN_MEAN, AnyK()),
    ),
    BestBaseline(
        name="best-linear",
        formula="q_i − the best weights on the other rewards, sorted",
        source="the least variance of any such baseline, a yardstick",
        claims=Claims(UNBIASED, Centering.NO, smallest_group=2),
        family=BaselineFamily.LINEAR,
    ),
    BestBaseline(
        name="best-mix",
        formula="q_i − λ v_K^(−i) − μ v_{K−1}^(−i), the best λ and μ",
        source="the best of what canonical and ei subtract, a yardstick",
        claims=Claims(UNBIASED, Centering.NO, smallest_group=2),
        family=BaselineFamily.MIX,
    ),
    BestBaseline(
        name="best-constant",
        formula="q_i − b, the best number b",
        source="the scalar oracle baseline, a yardstick",
        claims=Claims(UNBIASED, Centering.NO),
        family=BaselineFamily.CONSTANT,
    ),
)
"""Every estimator, in the order in which they are listed."""
