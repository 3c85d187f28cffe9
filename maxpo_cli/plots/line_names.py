"""Which line is which estimator: one entry for lines that coincide, beside them or in a legend."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from maxpo_cli.plots.labels import Entry, Line, coincident, ends_fit, label_ends, legend
from maxpo_cli.plots.panels import Panel, make_room
from maxpo_cli.plots.scales import Scale
from maxpo_cli.plots.series import Series
from maxpo_cli.plots.style import Appearance, in_order
from maxpo_cli.plots.ticks import number


def find_entries(
    series: Sequence[Sequence[Series]], looks: Mapping[str, Appearance]
) -> list[Entry]:
    """What is told of the lines of all panels: lines that coincide in each of them are one."""
    values: dict[str, dict[object, float]] = {}
    for index, found in enumerate(series):
        for one in found:
            mine = values.setdefault(one.estimator, {})
            mine |= {(index, x): value for x, value in one.line.values.items()}
    entries = []
    for group in coincident([Line(name, values[name]) for name in in_order(values)]):
        label = " = ".join(looks[line.estimator].label for line in group)
        entries.append(Entry(tuple(group), Appearance(label, looks[group[0].estimator].look)))
    return entries


def name_lines(
    figure: Figure,
    panels: Sequence[Panel],
    series: Sequence[Sequence[Series]],
    entries: Sequence[Entry],
    scale: Scale,
    joined: bool,
) -> None:
    """Writes names at the ends of lines in each row's last panel; a legend if they do not fit.

    A line that leaves the frame, in the row or in the figure, is named with the value it reaches.
    """
    figure.draw_without_rendering()
    inches = panels[0].axes.get_window_extent().height / figure.dpi
    here = [
        _entries_of_panel(found, row, entries, scale)
        for found, row in zip(series, _rows(panels, series), strict=True)
    ]
    if not joined or not _told_at_ends(figure, panels, here, inches):
        legend(figure, [_with_reach(entry, entry.lines, scale) for entry in entries], joined)
        make_room(figure, figure.legends)
        return
    for panel, one in zip(panels, here, strict=True):
        if panel.right:
            label_ends(panel, one, figure, inches)


def _rows(
    panels: Sequence[Panel], series: Sequence[Sequence[Series]]
) -> list[dict[str, list[Line]]]:
    """For each panel, the lines of its row of panels by estimator."""
    rows: list[dict[str, list[Line]]] = []
    row: dict[str, list[Line]] = {}
    for panel, found in zip(panels, series, strict=True):
        for one in found:
            row.setdefault(one.estimator, []).append(one.line)
        rows.append(row)
        row = {} if panel.right else row
    return rows


def _entries_of_panel(
    found: Sequence[Series],
    row: Mapping[str, Sequence[Line]],
    entries: Sequence[Entry],
    scale: Scale,
) -> list[Entry]:
    """The entries of the lines of one panel: more of them may coincide there."""
    by_name = {
        entry.estimator: _with_reach(entry, row[entry.estimator], scale).appearance
        for entry in entries
        if entry.estimator in row
    }
    lines = [one.line for one in found if one.estimator in by_name]
    return [
        Entry(
            tuple(group),
            Appearance(
                " = ".join(by_name[line.estimator].label for line in group),
                by_name[group[0].estimator].look,
            ),
        )
        for group in coincident(lines)
    ]


def _with_reach(entry: Entry, lines: Sequence[Line], scale: Scale) -> Entry:
    """The entry with what these lines reach beyond the frame."""
    values = [value for line in lines for value in line.values.values()]
    label, look = entry.appearance.label, entry.appearance.look
    label += f" ↑ {number(max(values))}" if max(values) > scale.high else ""
    label += f" ↓ {number(min(values))}" if min(values) < scale.low else ""
    return Entry(entry.lines, Appearance(label, look))


def _told_at_ends(
    figure: Figure, panels: Sequence[Panel], entries: Sequence[Sequence[Entry]], inches: float
) -> bool:
    """Whether names at the ends of the lines of each row's last panel tell all lines of the row."""
    names: set[str] = set()
    for panel, found in zip(panels, entries, strict=True):
        here = {line.estimator for entry in found for line in entry.lines}
        names |= here
        if panel.right:
            if names != here or not ends_fit(found, figure, inches):
                return False
            names = set()
    return True
