"""From the words of a study to its spec: which policy, and which grid."""

from pathlib import Path

from maxpo_cli.errors import InputError
from maxpo_cli.policies.files import RewardsFile, RewardsTemplate
from maxpo_cli.policies.spec import PolicyTemplate, read_template
from maxpo_cli.studies.settings import (
    DEFAULT_COLUMNS,
    DEFAULT_POLICY,
    StudyOptions,
    SweepOptions,
    axis_name,
)
from maxpo_cli.studies.spec import StudySpec, Template


def compare_spec(options: StudyOptions) -> StudySpec:
    """The study of `compare`; raises `InputError` for words that exclude each other."""
    return StudySpec(_template(options), options.only())


def sweep_spec(options: SweepOptions) -> StudySpec:
    """The study of `variance-sweep`; raises `InputError` for one without a grid too."""
    template = _template(options)
    grid = options.items
    names = set(map(axis_name, grid))
    if not grid:
        known = ["n", "k", *template.keys] if isinstance(template, PolicyTemplate) else ["n", "k"]
        raise InputError(
            "variance-sweep needs --grid NAME=VALUES, as in --grid k=1,2,4; names here: "
            f"{', '.join(known)}" + ("" if len(known) > 2 else " and the columns of the file")
        )
    if isinstance(template, PolicyTemplate):
        template = template.without(names)
    return StudySpec(template, options.only(), grid)


def _template(options: StudyOptions) -> Template:
    if options.policy is not None and options.rewards is not None:
        raise InputError("--policy and --rewards exclude each other: give one of them")
    if options.rewards is None:
        for name, value in (
            ("where", options.conditions),
            ("group-column", options.group_column),
            ("reward-column", options.reward_column),
        ):
            if value:
                raise InputError(f"--{name} is about --rewards; give --rewards FILE")
        return read_template(DEFAULT_POLICY if options.policy is None else options.policy)
    group, reward = DEFAULT_COLUMNS
    columns = (options.group_column or group, options.reward_column or reward)
    conditions = tuple(_condition(text) for text in options.conditions)
    return RewardsTemplate(RewardsFile(Path(options.rewards), *columns, conditions))


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise InputError(f"--where takes COLUMN=VALUE; got '{text}'")
    return column.strip(), value.strip()
