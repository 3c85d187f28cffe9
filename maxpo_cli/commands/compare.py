"""`maxpo compare`: every estimator side by side."""

import typer

from maxpo_cli.commands.config import policy_or_rewards
from maxpo_cli.commands.options import OutputOptions, takes
from maxpo_cli.studies.settings import StudyOptions


@takes(StudyOptions, OutputOptions)
def compare(context: typer.Context, options: StudyOptions, output: OutputOptions) -> None:
    """Compare estimators in one setting.

    At one policy, group size N and K: bias, centering and gradient variance of each, exact wherever
    that is possible, as a table here, and as table.csv, study.json and a figure in the result
    folder.
    """
    from maxpo_cli.commands.results import COMPARE, run
    from maxpo_cli.studies.plan import Plan
    from maxpo_cli.studies.source import compare_spec

    plan = Plan(compare_spec(policy_or_rewards(context, options)), strict=True)
    run(COMPARE, plan, output)
