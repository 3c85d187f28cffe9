"""What can be said of any figure, whatever it shows: texts are whole, apart and of one notation."""

import re
from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from maxpo_cli.plots import style as drawing


def tick_texts(figure: Figure) -> list[list[Text]]:
    """The tick labels that are shown, by axis."""
    found = []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
            found.append(
                [t.label1 for t in ticks if t.label1.get_visible() and t.label1.get_text()]
            )
    return found


def boxes_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """The texts of a figure with where they are; a legend is one."""
    with drawing.style():
        figure.canvas.draw()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    texts: list[Text] = [text for labels in tick_texts(figure) for text in labels]
    if figure._suptitle is not None:  # type: ignore[attr-defined]
        texts.append(figure._suptitle)  # type: ignore[attr-defined]
    for axes in figure.axes:
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label, axes._left_title]  # type: ignore[attr-defined]
    boxes = [(t.get_text(), Text.get_window_extent(t, renderer)) for t in texts if t.get_text()]
    for part in (figure, *figure.subfigs):
        boxes += [("legend", legend.get_window_extent(renderer)) for legend in part.legends]
    return [(text, box) for text, box in boxes if box.width > 0]


def assert_text_is_whole_and_apart(figure: Figure) -> None:
    """No text leaves the figure or lies on another, and no axis mixes notations of numbers."""
    boxes = boxes_of(figure)
    for text, box in boxes:
        inside = min(box.x0, box.y0) >= -1
        inside &= box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1
        assert inside, (text, box, figure.bbox)
    shrunk = [(text, box.shrunk(0.97, 0.8)) for text, box in boxes]
    for (one, a), (other, b) in combinations(shrunk, 2):
        assert not a.overlaps(b), (one, other, a, b)
    for labels in tick_texts(figure):
        numbers = {text.get_text() for text in labels} - {"0", "∞"}
        with_power = {text for text in numbers if re.fullmatch(r"−?([\d.]+×)?10[⁰-⁹⁻¹²³]+", text)}
        plain = {text for text in numbers if re.fullmatch(r"−?\d+(\.\d+)?", text)}
        assert not (with_power and plain), (with_power, plain)
        assert not any(re.search(r"\de[+-−]?\d|\$", text) for text in with_power | plain)
