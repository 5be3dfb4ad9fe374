"""The chart, as SVG: throughput and p99 of cached and of uncached reads, in four panels."""

import math
from html import escape

_WIDTH, _HEIGHT = 1200, 940
_PLOT_WIDTH, _PLOT_HEIGHT = 470, 290
_LEFT, _TOP = 90, 172
_COLUMN, _ROW = 580, 385

_INK, _FAINT, _GRID = "#1f2933", "#52606d", "#e4e7eb"
# The colours are distinct to colour-blind readers too; markers tell the lines apart in print.
_STYLES = (
    ("contentd", "#0072b2", "circle"),
    ("raw echo", "#7b8794", "square"),
    ("Go", "#e69f00", "triangle"),
    ("Rust", "#c4451c", "diamond"),
)


def draw(panels, subtitle):
    """Returns the chart. `panels`: as recorded by sweep.measure."""
    shapes = [
        _text(_LEFT - 60, 46, "GetArticle against the number of calls at once", 24, weight=600),
        _text(_LEFT - 60, 72, subtitle, 14, _FAINT),
        _legend(panels["cached"], _LEFT - 60, 104),
    ]
    titles = {
        "cached": "one article of 12.5 KB, cached by contentd",
        "uncached": "any article, cached by no server",
    }
    for row, (panel, series) in enumerate(panels.items()):
        top = _TOP + row * _ROW
        shapes.append(
            _plot(
                _LEFT,
                top,
                f"Calls per second, {titles[panel]}",
                series,
                "per_second",
                _linear_axis(series),
            )
        )
        shapes.append(
            _plot(
                _LEFT + _COLUMN,
                top,
                f"p99, ms (log scale), {titles[panel]}",
                series,
                "p99_us",
                _log_axis(series),
            )
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="DejaVu Sans, sans-serif">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


class _Axis:
    """A vertical axis. `place(value)` is between 0, the bottom, and 1, the top."""

    def __init__(self, place, ticks):
        self.place = place
        self.ticks = ticks  # (value, label)


def _values(series, key):
    return [point[key] for points in series.values() for point in points]


def _linear_axis(series):
    largest = max(_values(series, "per_second"))
    step = 10 ** math.floor(math.log10(largest))
    step = next(step * factor for factor in (0.1, 0.2, 0.5, 1, 2) if largest / (step * factor) <= 6)
    top = step * math.ceil(largest / step)
    ticks = [step * i for i in range(round(top / step) + 1)]
    return _Axis(lambda value: value / top, [(tick, f"{tick:,.0f}") for tick in ticks])


def _log_axis(series):
    values = _values(series, "p99_us")
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [factor * 10**power for power in range(low, high) for factor in (1, 2, 5)] + [10**high]
    return _Axis(
        lambda value: (math.log10(value) - low) / (high - low),
        [(tick, f"{tick / 1000:g}") for tick in ticks],
    )


def _plot(left, top, title, series, key, axis):
    calls = [point["calls"] for point in next(iter(series.values()))]
    last = math.log2(calls[-1])

    def x(count):
        return left + math.log2(count) / last * _PLOT_WIDTH

    def y(value):
        return top + (1 - axis.place(value)) * _PLOT_HEIGHT

    shapes = [_text(left, top - 16, title, 14, weight=600)]
    for value, label in axis.ticks:
        shapes.append(_line(left, y(value), left + _PLOT_WIDTH, y(value), _GRID))
        shapes.append(_text(left - 8, y(value) + 4, label, 12, _FAINT, anchor="end"))
    for count in calls:
        shapes.append(_line(x(count), top + _PLOT_HEIGHT, x(count), top + _PLOT_HEIGHT + 5, _FAINT))
        shapes.append(
            _text(x(count), top + _PLOT_HEIGHT + 20, str(count), 12, _FAINT, anchor="middle")
        )
    shapes.append(_line(left, top + _PLOT_HEIGHT, left + _PLOT_WIDTH, top + _PLOT_HEIGHT, _FAINT))
    shapes.append(
        _text(
            left + _PLOT_WIDTH / 2,
            top + _PLOT_HEIGHT + 40,
            "calls at once",
            12,
            _FAINT,
            anchor="middle",
        )
    )
    # Ours last, so that no other line covers it.
    for name, points in reversed(series.items()):
        colour, marker = _style(name)
        places = [(x(point["calls"]), y(point[key])) for point in points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        width = 3 if name == "contentd" else 2
        shapes.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linejoin="round"/>'
        )
        shapes += [_marker(px, py, colour, marker) for px, py in places]
    return "\n".join(shapes)


def _style(name):
    return next((colour, marker) for start, colour, marker in _STYLES if name.startswith(start))


def _legend(series, left, y):
    shapes = []
    for name in series:
        colour, marker = _style(name)
        shapes.append(_line(left, y, left + 32, y, colour, 3))
        shapes.append(_marker(left + 16, y, colour, marker))
        shapes.append(_text(left + 40, y + 5, name, 14))
        left += 72 + 7.6 * len(name)
    return "\n".join(shapes)


def _marker(x, y, colour, shape):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
        "diamond": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def _line(x1, y1, x2, y2, colour, width=1):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )


def _text(x, y, text, size, colour=_INK, anchor="start", weight=400):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
