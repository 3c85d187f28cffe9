"""A result on standard output: as a view, or as JSON."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import RenderableType

from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal.screen import console


def show(
    path: Path,
    record: StudyRecord,
    table: pd.DataFrame,
    view: Callable[[int], RenderableType],
    as_json: bool,
    quiet: bool,
) -> None:
    """Prints a result, which stands at `path`; `view` takes the width of the terminal."""
    if as_json:
        print_json(record.to_json(), table)
    elif not quiet:
        screen = console()
        screen.print(view(screen.width))
        screen.print(f"\nwritten to {path}", soft_wrap=True)


def print_json(study: Mapping[str, Any], table: pd.DataFrame) -> None:
    """One JSON object on standard output; null where a metric does not exist."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    print(json.dumps({"study": study, "rows": rows}, ensure_ascii=False, allow_nan=False))
