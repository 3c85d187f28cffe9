"""The figures of a study: refused before it is run where they cannot be drawn, drawn after it."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import METRICS
from maxpo_cli.plots.plot import EMPTY_IN_LIMIT, STEMS, prepare, write
from maxpo_cli.plots.spec import DEFAULT_FORMATS, PlotSpec
from maxpo_cli.storage import folder
from maxpo_cli.storage.result import Result, read_result, read_table
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.studies.plan import Job, Plan
from maxpo_cli.studies.rows import as_table, job_rows
from maxpo_cli.terminal.streams import say

RATIO = ("variance_ratio", "variance_ratio_stderr")
"""What cells in which the reference is not defined do not have."""


def check_figures(figures: Sequence[PlotSpec], plan: Plan, record: StudyRecord) -> None:
    """Raises `InputError` for a figure that cannot be drawn of what a study is going to measure."""
    if not figures:
        return
    result = _outline(plan, record)
    for number, figure in enumerate(figures, 1):
        try:
            prepare(result, figure)
        except InputError as error:
            raise InputError(f"[[plot]] {number}: {error}") from None


def _outline(plan: Plan, record: StudyRecord) -> Result:
    """The result that a study will have, with 1 for every metric that will be there."""
    swept = plan.spec.swept
    jobs = [job for batch in plan.batches for job in batch.jobs]
    rows = [row for job in jobs for row in _job_outline(job, plan, swept)]
    with TemporaryDirectory(prefix="maxpo-") as place:
        folder.write_table(Path(place, folder.TABLE), as_table(rows, swept))
        table = read_table(Path(place))
    reference = str(record.spec.get("reference", ""))
    return Result(table, record.coordinates, record.source, record.parameters, reference)


def _job_outline(job: Job, plan: Plan, swept: Sequence[str]) -> list[dict[str, object]]:
    measured = {
        (k, estimator.name)
        for part in job.parts
        for k, several in part.measured.items()
        for estimator in several
    }
    unit = plan.spec.settings.reference
    absent = EMPTY_IN_LIMIT if any(not p.mean_weight for p in job.problems) else ()
    metrics = {column.name: 1.0 for column in METRICS if column.name not in absent}
    without_ratio = {name: value for name, value in metrics.items() if name not in RATIO}
    rows = []
    for row in job_rows(job, [], plan.spec, swept):
        found = metrics if (row["k"], unit) in measured else without_ratio
        is_there = (row["k"], row["estimator"]) in measured
        rows.append({**row, "engine": "any", **found} if is_there else row)
    return rows


def draw_figures(path: Path, figures: Sequence[PlotSpec], changed: bool) -> None:
    """Draws the figures asked for, or the one that fits the table, where they are not there.

    After the table has `changed`, figures of what it was before are removed.
    """
    folder.remove_figure_drafts(path, STEMS)
    result = read_result(path)
    drawn = []
    for number, spec in enumerate(figures or [PlotSpec()], 1):
        try:
            drawn.append(prepare(result, spec))
        except InputError as error:
            which = f"no figure of [[plot]] {number}" if figures else "no figure"
            say(f"{which}: {error}; maxpo plot {quote(str(path))} draws what you choose")
    if changed:
        folder.remove_figures(path, STEMS)
    for stem, figure in drawn:
        files = [path / folder.FIGURES / f"{stem}.{ending}" for ending in DEFAULT_FORMATS]
        if not all(file.is_file() for file in files):
            write(path / folder.FIGURES, stem, figure())
