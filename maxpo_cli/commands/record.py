"""`study.json`: what was run, as options that run it again, and with what."""

import json
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pandas as pd
import torch

from maxpo_cli import __version__
from maxpo_cli.policies.files import RewardsTemplate
from maxpo_cli.policies.logged import Logged
from maxpo_cli.policies.spec import PolicyTemplate
from maxpo_cli.studies.measuring import Settings


def study_record(
    study: str,
    template: PolicyTemplate | RewardsTemplate,
    sizes: Mapping[str, Any],
    settings: Settings,
    device: str,
) -> dict[str, Any]:
    """What `study.json` holds; `spec` are the options, as `--config` takes them."""
    spec = (
        _source(template)
        | dict(sizes)
        | {field.name: getattr(settings, field.name) for field in fields(Settings)}
    )
    spec["estimators"] = list(settings.estimators)
    if spec["until_rel_error"] is None:
        del spec["until_rel_error"]
    if device.startswith("cuda"):
        device += f" ({torch.cuda.get_device_name(device)})"
    record: dict[str, Any] = {
        "study": study,
        "spec": spec,
        "command_line": ["maxpo", *sys.argv[1:]],
    }
    if isinstance(template, RewardsTemplate):
        record["rewards_sha256"] = sha256(template.file.path.read_bytes()).hexdigest()
    return record | made_with(device)


def made_with(device: str) -> dict[str, Any]:
    """The device, the versions of what ran, and when."""
    return {
        "device": device,
        "versions": {
            "maxpo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pandas": pd.__version__,
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _source(template: PolicyTemplate | RewardsTemplate) -> dict[str, Any]:
    if isinstance(template, PolicyTemplate):
        return {"policy": template.spec}
    file = template.file
    return {
        "rewards": str(file.path),
        "group_column": file.group_column,
        "reward_column": file.reward_column,
        "where": [f"{column}={value}" for column, value in file.where],
    }


def logged_facts(policies: Iterable[object]) -> dict[str, int]:
    """How many prompts logged policies have, all together, and the samples of the smallest."""
    logged = [policy for policy in policies if isinstance(policy, Logged)]
    if not logged:
        return {}
    return {
        "prompts": sum(len(policy.prompts) for policy in logged),
        "fewest_samples": min(policy.fewest_samples for policy in logged),
    }


def print_json(study: Mapping[str, Any], table: pd.DataFrame) -> None:
    """One JSON object on standard output; null where a figure does not exist."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    print(json.dumps({"study": study, "rows": rows}, ensure_ascii=False, allow_nan=False))
