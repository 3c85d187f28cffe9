"""What is measured and how, from the options that studies share."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from maxpo_cli.commands.config import is_from_config, is_given
from maxpo_cli.errors import InputError
from maxpo_cli.policies.files import RewardsFile, RewardsTemplate
from maxpo_cli.policies.spec import PolicyTemplate, read_template
from maxpo_cli.studies.measuring import Settings

DEFAULT_POLICY = "bernoulli:p=0.1"
DEFAULT_SWEEP = "categorical:outcomes=1000"
DEFAULT_GRID = ("p=0.01:0.9:20:log", "k=2,4,8")
"""What is swept without any options: the regime of language models; -k takes the place of its K."""


def read_source(context: typer.Context) -> PolicyTemplate | RewardsTemplate:
    """The template that a command's options ask for.

    A policy on the command line wins over rewards of the config, and the other way round.

    Raises `InputError` for both of a policy and rewards, options about a file that is not given,
    and what the spec says wrong.
    """
    given = context.params
    policy: str | None = given["policy"]
    rewards: Path | None = given["rewards"]
    about_file = {name: given[name] for name in ("where", "group_column", "reward_column")}
    if policy is not None and rewards is not None:
        if is_from_config(context, "rewards") and not is_from_config(context, "policy"):
            rewards = None
            about_file = {
                name: None if is_from_config(context, name) else value
                for name, value in about_file.items()
            }
        elif is_from_config(context, "policy") and not is_from_config(context, "rewards"):
            policy = None
        else:
            raise InputError("--policy and --rewards exclude each other: give one of them")
    for name, value in about_file.items():
        if value and rewards is None:
            option = name.replace("_", "-")
            raise InputError(f"--{option} is about --rewards; give --rewards FILE")
    if rewards is None:
        return read_template(policy or DEFAULT_POLICY)
    conditions = tuple(_condition(text) for text in about_file["where"] or ())
    columns = (about_file["group_column"] or "prompt", about_file["reward_column"] or "reward")
    return RewardsTemplate(RewardsFile(rewards, *columns, conditions))


def read_sweep_source(
    context: typer.Context,
) -> tuple[PolicyTemplate | RewardsTemplate, dict[str, Any]]:
    """The template of a sweep, and its `grid`, `n` and `k`.

    -n or -k on the command line wins over the same name on the grid of the config, and the other
    way round. Raises `InputError` for a sweep without a grid, and a size given twice.
    """
    template = read_source(context)
    given = context.params
    grid: tuple[str, ...] = tuple(given["grid"] or ())
    if not grid and given["policy"] is None and given["rewards"] is None:
        template = read_template(DEFAULT_SWEEP)
        grid = tuple(i for i in DEFAULT_GRID if not is_given(context, i.partition("=")[0]))
    names = {item.partition("=")[0].strip() for item in grid}
    for size in sorted(names & {"n", "k"}):
        if not is_given(context, size) or not is_given(context, "grid"):
            continue
        if is_from_config(context, size) == is_from_config(context, "grid"):
            raise InputError(f"-{size} and --grid {size}=… exclude each other: give one of them")
        if is_from_config(context, "grid"):
            grid = tuple(item for item in grid if item.partition("=")[0].strip() != size)
    if not grid:
        known = ["n", "k", *template.keys] if isinstance(template, PolicyTemplate) else ["n", "k"]
        raise InputError(
            "variance-sweep needs --grid NAME=VALUES, as in --grid k=1,2,4; names here: "
            f"{', '.join(known)}" + ("" if len(known) > 2 else " and the columns of the file")
        )
    if isinstance(template, PolicyTemplate):
        template = template.without(names)
    return template, {"grid": grid, "n": given["n"], "k": given["k"]}


def read_settings(context: typer.Context) -> dict[str, Any]:
    """The options that are the fields of `Settings`, by name."""
    given = context.params
    settings = {field.name: given[field.name] for field in fields(Settings)}
    names = tuple(name.strip() for name in given["estimators"].split(","))
    return settings | {"estimators": names}


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise InputError(f"--where takes COLUMN=VALUE; got '{text}'")
    return column.strip(), value.strip()
