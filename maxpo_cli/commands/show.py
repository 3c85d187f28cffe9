"""From a comparison to what the user gets: progress, the result folder, the table or the JSON."""

import json
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from maxpo_cli import __version__
from maxpo_cli.policies.files import RewardsFile
from maxpo_cli.reports import figures, folder
from maxpo_cli.reports.terminal import comparison_view, console
from maxpo_cli.studies.compare import CompareSpec, Comparison, compare


def run_study(
    spec: CompareSpec, file: RewardsFile | None, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Runs a comparison (of logged rewards: read from `file`), writes its folder and shows it."""
    source = f"{file.path} {file.group_column} {file.reward_column}" if file else ""
    name = f"compare-{folder.slug(spec.policy.spec, source)}-n{spec.n}-k{spec.k}"
    path = out if out is not None else Path("results") / name
    with folder.new_result(path) as draft:
        with _progress(quiet) as progress:
            task = progress.add_task(spec.policy.spec, total=1.0)
            found = compare(spec, lambda done: progress.advance(task, done))
        study = _study(spec, file, found)
        folder.write_table(draft / folder.TABLE, found.table)
        if found.prompts is not None:
            folder.write_table(draft / folder.PROMPTS, found.prompts)
        folder.write_study(draft / folder.STUDY, study)
        (draft / folder.FIGURES).mkdir()
        for ending in figures.FORMATS:
            figures.save(
                figures.comparison(found.table),
                draft / folder.FIGURES / f"{figures.COMPARISON}.{ending}",
            )
    if as_json:
        print_json(study, found.table)
    elif not quiet:
        screen = console()
        screen.print(comparison_view(found.table, study, screen.width))
        screen.print(f"\nwritten to {path}", soft_wrap=True)


def _progress(quiet: bool) -> Progress:
    """A bar on standard error, gone when the work is done, and none where nobody watches."""
    screen = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=quiet or not screen.is_terminal,
    )


def _study(spec: CompareSpec, file: RewardsFile | None, found: Comparison) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "policy": spec.policy.spec,
        "n": spec.n,
        "k": spec.k,
        "estimators": list(spec.estimators),
        "engine": spec.engine,
        "groups": spec.groups,
        "seed": spec.seed,
        "device": spec.device,
        "dtype": spec.dtype,
        "reference": spec.reference,
    }
    if file is not None:
        settings |= {
            "rewards": str(file.path),
            "group_column": file.group_column,
            "reward_column": file.reward_column,
            "where": [f"{column}={value}" for column, value in file.where],
        }
    device = found.device
    if device.startswith("cuda"):
        device += f" ({torch.cuda.get_device_name(device)})"
    return {
        "study": "compare",
        "spec": settings,
        "command_line": ["maxpo", *sys.argv[1:]],
        "prompts": None if found.prompts is None else len(found.prompts) // len(found.table),
        "device": device,
        "versions": {
            "maxpo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pandas": pd.__version__,
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def print_json(study: Mapping[str, Any], table: pd.DataFrame) -> None:
    """One JSON object on standard output; null where a figure does not exist."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    print(json.dumps({"study": study, "rows": rows}, ensure_ascii=False, allow_nan=False))
