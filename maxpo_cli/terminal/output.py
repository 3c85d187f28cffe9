"""A result on standard output: as a view, or as JSON."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import RenderableType

from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal.screen import console, rendered
from maxpo_cli.terminal.streams import put, put_line


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
        put(rendered(view(console().width)))
        put("")
        put_line(f"written to {path}")


def print_json(study: Mapping[str, Any], table: pd.DataFrame) -> None:
    """One JSON object on standard output; null where a metric does not exist or is infinite."""
    known = table.notna() & ~table.isin([math.inf, -math.inf])
    rows = table.astype(object).where(known, None).to_dict("records")
    text = json.dumps({"study": study, "rows": rows}, allow_nan=False)
    put(text.replace("\x7f", "\\u007f"))  # the one control character that JSON lets through
