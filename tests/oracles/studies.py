"""Short studies for tests: of a policy object or the spec of one, on the CPU, in this process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from maxpo_cli.metrics.columns import METRICS, column_names
from maxpo_cli.policies.policy import Policy
from maxpo_cli.policies.spec import read_template
from maxpo_cli.studies.plan import Plan
from maxpo_cli.studies.settings import Settings
from maxpo_cli.studies.spec import StudySpec
from maxpo_cli.studies.study import Outcome, run_study

COLUMNS = column_names()
METRIC_NAMES = [column.name for column in METRICS]
CPU = {"device": "cpu"}


@dataclass(frozen=True)
class OnePolicy:
    """The template of one policy object: nothing of it is open."""

    policy: Policy

    @property
    def spec(self) -> str:
        """The policy as its spec."""
        return self.policy.spec

    @property
    def source(self) -> str:
        """The policy's name."""
        return self.spec.partition(":")[0]

    @property
    def parameters(self) -> dict[str, str]:
        """No keys by name."""
        return {}

    def at(self, given: Mapping[str, str]) -> Policy:
        """The policy itself."""
        assert not given
        return self.policy


def comparison_spec(policy: Policy | str, n: int, k: int, **settings: Any) -> StudySpec:
    """The spec of a comparison; a text is the spec of the policy."""
    template = read_template(policy) if isinstance(policy, str) else OnePolicy(policy)
    return StudySpec(template, Settings(n=n, k=k, **CPU | settings))  # type: ignore[arg-type]


def comparison(
    policy: Policy | str,
    n: int,
    k: int,
    progress: Callable[[float], None] = lambda _: None,
    **settings: Any,
) -> Outcome:
    """Every estimator side by side: planned as `compare` plans it, with errors for notes."""
    return run_study(Plan(comparison_spec(policy, n, k, **settings), strict=True), progress)


def sweep_of(policy: str, *grid: str, **settings: Any) -> StudySpec:
    """The spec of a sweep; a key that is swept may stand in the policy's spec too."""
    names = [item.partition("=")[0] for item in grid]
    return StudySpec(read_template(policy).without(names), Settings(**CPU | settings), grid)


def table_of(spec: StudySpec) -> pd.DataFrame:
    """The table of a sweep: cells that cannot be measured are rows with a note."""
    return run_study(Plan(spec)).table
