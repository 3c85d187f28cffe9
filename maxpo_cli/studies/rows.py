"""Result tables: the rows of records, with the columns that every study writes."""

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from maxpo_cli.engines.moments import Moments
from maxpo_cli.metrics.columns import COLUMNS, METRICS, Kind, column_names
from maxpo_cli.metrics.summary import Summary, summaries
from maxpo_cli.studies.measure import Record
from maxpo_cli.studies.plan import Job
from maxpo_cli.studies.refusals import Notes
from maxpo_cli.studies.spec import StudySpec

FLAT = "the gradient is 0 here, so that there is no ratio"

Row = dict[str, object]


def job_rows(
    job: Job, records: Sequence[Record], spec: StudySpec, swept: Sequence[str]
) -> list[Row]:
    """The rows of a job: its cells in their order, a row per estimator in each."""
    rows = []
    for point in job.points:
        values = dict(zip(swept, point.values, strict=True))
        here = [record for record in records if record.k == point.k]
        cell = {"policy": job.spec, **values, "n": point.n, "k": point.k}
        rows += _cell_rows(cell, here, spec, job.notes[point.k])
    return rows


def prompt_rows(job: Job, records: Sequence[Record], spec: StudySpec) -> pd.DataFrame:
    """The rows of each problem of a job by itself, as a table without its labels."""
    rows = []
    for point in job.points:
        cell = {"policy": job.spec, "n": point.n, "k": point.k}
        for i in range(len(job.problems)):
            here = [_one_problem(r, i) for r in records if r.k == point.k]
            rows += _cell_rows(cell, here, spec, job.notes[point.k])
    return as_table(rows)


def _one_problem(record: Record, place: int) -> Record:
    moments = record.moments[place]
    return Record(
        record.policy, record.n, record.k, moments.engine, record.estimators, (moments,), {}
    )


def _cell_rows(
    cell: Mapping[str, object], records: Sequence[Record], spec: StudySpec, notes: Notes
) -> list[Row]:
    """One row per estimator asked for; one without metrics says how the others were measured."""
    found: dict[str, Row] = {}
    for record in records:
        how = _how(record)
        metrics = summaries(record.moments, spec.settings.reference)
        for estimator in record.estimators:
            summary = metrics[estimator.name]
            note = notes.get(estimator.name) or _note(summary, record, spec.settings.rtol)
            found[estimator.name] = {**how, **_values(summary), "note": note}
    nothing = _how(records[0]) if records else {"engine": ""}
    return [
        {"estimator": e.name, **cell, "note": notes.get(e.name, ""), **found.get(e.name, nothing)}
        for e in spec.asked
    ]


def _values(summary: Summary) -> Row:
    return {c.name: c.value(summary) for c in METRICS if c.value is not None}


def _how(record: Record) -> Row:
    """The engine and its counts."""
    states = sum(moments.states for moments in record.moments)
    groups = sum(moments.groups for moments in record.moments)
    return {
        "engine": record.engine,
        "states": states or None,
        "groups": groups or None,
        "rtol": _achieved(record.moments),
    }


def _achieved(moments: Sequence[Moments]) -> float:
    return max((m.rtol for m in moments if m.rtol is not None), default=math.nan)


def _note(summary: Summary, record: Record, rtol: float) -> str:
    """What a reader must know of the metrics of a row; empty where there is nothing."""
    if not summary.has_gradient:
        return FLAT
    achieved = _achieved(record.moments)
    if achieved > rtol:
        return f"not to --rtol {rtol:g}: the last refinement still moved a metric by {achieved:.0e}"
    return ""


def as_table(rows: Iterable[Mapping[str, object]], swept: tuple[str, ...] = ()) -> pd.DataFrame:
    """Rows as a table with the columns of `metrics.columns`, those of `swept` after the policy."""
    table = pd.DataFrame(rows, columns=list(column_names(swept)))
    counts = [column.name for column in COLUMNS if column.kind is Kind.COUNT]
    return table.astype(dict.fromkeys((c for c in counts if c not in ("n", "k")), "Int64"))
