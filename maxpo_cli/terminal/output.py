"""JSON on standard output."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd


def print_json(study: Mapping[str, Any], table: pd.DataFrame) -> None:
    """One JSON object on standard output; null where a metric does not exist."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    print(json.dumps({"study": study, "rows": rows}, ensure_ascii=False, allow_nan=False))
