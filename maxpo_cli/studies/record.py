"""The records of studies, by which they can be read, continued and run again."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from maxpo_cli.policies.files import RewardsTemplate
from maxpo_cli.policies.logged import Logged
from maxpo_cli.storage.study import StudyRecord, made_with
from maxpo_cli.studies.bench import BenchSpec, device_name
from maxpo_cli.studies.plan import Plan
from maxpo_cli.studies.spec import StudySpec

BENCH = "bench"


def study_record(
    study: str,
    plan: Plan,
    command_line: Sequence[str] = (),
    plots: Sequence[Mapping[str, Any]] = (),
) -> StudyRecord:
    """The record of a planned study that is not measured yet.

    `study` is the command's name, `plots` are the figures to draw, as options of `maxpo plot`.
    """
    spec = plan.spec
    logged = [policy for policy in plan.policies if isinstance(policy, Logged)]
    contents = None
    if isinstance(spec.template, RewardsTemplate):
        contents = spec.template.sha256
    return StudyRecord(
        study=study,
        spec=study_words(spec),
        source=spec.template.source,
        parameters=spec.parameters,
        coordinates=spec.coordinates,
        cells=plan.cells,
        prompts=sum(len(policy.prompts) for policy in logged) if logged else None,
        fewest_samples=min(policy.fewest_samples for policy in logged) if logged else None,
        plot=tuple(plots),
        rewards_sha256=contents,
        command_line=tuple(command_line),
        **made_with(_named(spec.precision.device)),
    )


def bench_record(spec: BenchSpec, command_line: Sequence[str]) -> StudyRecord:
    """The record of a bench that has not run yet."""
    options = spec.options
    return StudyRecord(
        study=BENCH,
        spec={
            "n": list(spec.sizes), "k": spec.k, "estimators": list(options.names),
            "peer": list(options.peers), "seconds": options.seconds, "seed": options.seed,
            "device": options.device, "dtype": options.dtype,
        },
        command_line=tuple(command_line),
        **made_with(f"{spec.device.type} ({device_name(spec.device)})"),
    )  # fmt: skip


def study_words(spec: StudySpec) -> dict[str, Any]:
    """The options of a study by name, as `--config` takes them."""
    settings, template = spec.settings, spec.template
    words: dict[str, Any] = {}
    if isinstance(template, RewardsTemplate):
        file = template.file
        words |= {
            "rewards": str(file.path), "group_column": file.group_column,
            "reward_column": file.reward_column,
            "where": [f"{column}={value}" for column, value in file.where],
        }  # fmt: skip
    else:
        words["policy"] = template.spec
    axes = {axis.name: axis.text for axis in spec.axes}
    if axes:
        words["grid"] = axes
    words |= {
        name: size for name, size in (("n", settings.n), ("k", settings.k)) if name not in axes
    }
    words |= {
        "estimators": list(settings.names), "engine": settings.engine, "groups": settings.groups,
        "rtol": settings.rtol, "seed": settings.seed, "device": settings.device,
        "dtype": settings.dtype, "reference": settings.reference,
    }  # fmt: skip
    if settings.until_rel_error is not None:
        words["until_rel_error"] = settings.until_rel_error
    return words


def _named(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else "cpu"
