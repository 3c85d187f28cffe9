"""A study of either kind in the terminal."""

import pandas as pd
from rich.console import RenderableType

from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal.comparison import comparison_view
from maxpo_cli.terminal.sweep import sweep_view


def study_view(
    table: pd.DataFrame, record: StudyRecord, width: int, there: int = 0, found: bool = False
) -> RenderableType:
    """The view of a comparison, or that of a sweep where there is a grid.

    `width` is the terminal's, `there` the number of cells that an earlier run had measured; `found`
    says that the whole result was there already and was not measured again.
    """
    if "grid" in record.spec:
        return sweep_view(table, record, width, there, found)
    return comparison_view(table, record, width, found)
