"""What result folders are called where `--out` names none: after what is not as by default."""

import re
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any

from maxpo_cli.policies.files import RewardsTemplate
from maxpo_cli.storage.folder import HASH, slug, with_hash
from maxpo_cli.studies.bench import BenchSpec, device_name
from maxpo_cli.studies.plan import Plan
from maxpo_cli.studies.record import BENCH
from maxpo_cli.studies.settings import BenchOptions, Settings

RESULTS = Path("results")
LONGEST = 30
"""Characters that options add to a name at most; a hash ends those that are cut."""


def study_folder(command: str, plan: Plan) -> Path:
    """The folder of a comparison or a sweep."""
    spec, more = plan.spec, ""
    if isinstance(spec.template, RewardsTemplate):
        file = spec.template.file
        more = f"{file.path} {file.group_column} {file.reward_column}"
    sizes = {"n": spec.settings.n, "k": spec.settings.k}
    if spec.axes:
        axes = {axis.name: axis.text for axis in spec.axes}
        asked = axes | {name: size for name, size in sizes.items() if name not in axes}
        texts = ",".join(f"{name}={value}" for name, value in asked.items())
        parts = [slug(f"{spec.template.spec},{texts}", more)]
    else:
        parts = [slug(plan.policies[0].spec, more)]
        parts += [f"{name}{size}" for name, size in sizes.items()]
    parts += _unusual(spec.settings.only(), Settings().only(), sizes)
    return RESULTS / "-".join([command, *parts])


def bench_folder(spec: BenchSpec) -> Path:
    """The folder of a bench: one for each processor too."""
    processor = re.sub(r"[^a-z0-9.]+", "-", device_name(spec.device).lower()).strip("-")
    parts = [BENCH, spec.device.type, processor, f"k{spec.k}"]
    parts += _unusual(spec.options, BenchOptions(), ("k", "device"))
    return RESULTS / "-".join(parts)


def _unusual(options: Any, usual: Any, left_out: Collection[str]) -> list[str]:
    """The options, a dataclass, that differ from the usual ones: as one short text, or none."""
    texts = []
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name not in left_out and value != getattr(usual, field.name):
            shown = value if isinstance(value, str | int | float) else ",".join(map(str, value))
            texts.append(f"{field.name}={shown}".replace("_", "-"))
    text = ",".join(texts)
    name = slug(text)
    if len(name) > LONGEST:
        name = with_hash(name[: LONGEST - HASH].rstrip("-."), text)
    return [name] if name else []
