"""Result tables: the rows of records, with the columns that every study writes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from maxpo_cli.engines.moments import Moments
from maxpo_cli.metrics.columns import COLUMNS, METRICS, Kind, column_names
from maxpo_cli.metrics.summary import Summary, summaries
from maxpo_cli.studies.measure import Record
from maxpo_cli.studies.plan import Job
from maxpo_cli.studies.refusals import Notes
from maxpo_cli.studies.spec import StudySpec

FLAT = "the gradient is 0 here, or too small for float64, so that there is no ratio"
ROUNDING = "its variance is lost in the rounding of what it is made of"
TOO_SMALL = "its estimates are 0, or too small for float64, so that there is no ratio"
UNSEEN = "some groups are too rare for float64, so that there is no largest mean advantage"

NOTHING_SEEN = "every sampled group gave 0: what carries its gradient is too rare to sample"
MISSED = "its sampled mean is far from the one it claims: what carries it is too rare to sample"
NO_SCALE = "its scale is not told from 0, so that there is no ratio: more --groups"
FEW = "few groups make up its variance, so that the errors are too small: more --groups"

Row = dict[str, Any]


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
    of_policy = job.policy.note if job.policy is not None else ""
    return [{**row, "note": "; ".join(filter(None, (row["note"], of_policy)))} for row in rows]


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
    blind = summary.saw_nothing or summary.misses_its_mean
    known = ("objective", "gradient_norm") if blind else None
    return {
        c.name: c.value(summary)
        for c in METRICS
        if c.value is not None and (known is None or c.name in known)
    }


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
    if math.isnan(summary.variance):
        return ROUNDING
    if summary.is_sampled:
        return _note_of_sample(summary)
    if not summary.is_resolved:
        return TOO_SMALL
    achieved = _achieved(record.moments)
    if math.isnan(summary.centering_max) and math.isnan(achieved):
        return UNSEEN
    if achieved > rtol:
        return f"not to --rtol {rtol:g}: the last refinement still moved a metric by {achieved:.0e}"
    return ""


def _note_of_sample(summary: Summary) -> str:
    if summary.saw_nothing:
        return NOTHING_SEEN
    notes = {MISSED: summary.misses_its_mean, FEW: summary.rests_on_few}
    notes[NO_SCALE] = not summary.is_scale_known
    return "; ".join(note for note, holds in notes.items() if holds)


def as_table(rows: Iterable[Mapping[str, object]], swept: tuple[str, ...] = ()) -> pd.DataFrame:
    """Rows as a table with the columns of `metrics.columns`, those of `swept` after the policy."""
    table = pd.DataFrame(rows, columns=list(column_names(swept)))
    counts = [column.name for column in COLUMNS if column.kind is Kind.COUNT]
    return table.astype(dict.fromkeys((c for c in counts if c not in ("n", "k")), "Int64"))
