"""When sampling may stop before all groups are drawn: `--until-rel-error`."""

from collections.abc import Callable, Sequence

from maxpo_cli.engines.choice import BY_NAME, Part
from maxpo_cli.engines.engine import Stop
from maxpo_cli.engines.moments import Moments
from maxpo_cli.metrics.summary import summaries
from maxpo_cli.studies.plan import Job
from maxpo_cli.studies.spec import StudySpec

DOUBTFUL = 3.0
"""The standard score of a bias from which sampling goes on."""

MomentsOf = Callable[[Part, int, Sequence[Moments]], Sequence[Moments]]
"""The moments of a part at a K over all problems, from those that were drawn so far."""


def stopping_rule(job: Job, spec: StudySpec, moments_of: MomentsOf) -> Stop | None:
    """Whether the ratios at a K are known well enough; None where sampling goes on to its end."""
    aim = spec.settings.until_rel_error
    if aim is None:
        return None
    sampled = [p for p in job.parts if any(BY_NAME[name].samples for name in p.engines)]

    def stop(k: int, drawn: Sequence[Moments]) -> bool:
        return all(
            _is_known(moments_of(part, k, drawn), job.n, k, spec.settings.reference, aim)
            for part in sampled
            if k in part.estimators
        )

    return stop


def _is_known(moments: Sequence[Moments], n: int, k: int, reference: str, aim: float) -> bool:
    """Whether every variance ratio has a standard error that is small compared with it.

    Not while an estimator that is known to be unbiased looks biased: what matters is then still
    to be drawn.
    """
    metrics = summaries(moments, reference)
    known = [m for m in metrics.values() if m.variance_ratio == m.variance_ratio]
    unbiased = [e.name for e in moments[0].estimators if e.claims.is_unbiased(n, k)]
    return (
        bool(known)
        and not any(m.variance_ratio_stderr > aim * m.variance_ratio for m in known)
        and not any(metrics[name].bias_z > DOUBTFUL for name in unbiased)
    )
