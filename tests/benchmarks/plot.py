"""A plot of lines over two logarithmic axes, as SVG written by hand."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Final, TypeAlias

from attrs import frozen

Points: TypeAlias = Sequence[tuple[float, float]]
_COLOURS: Final = ("#1f6feb", "#2da44e", "#cf4d2e", "#8250df")
_DASHES: Final = ("none", "none", "6 4", "none")
"""Lines may lie upon one another: through the third one sees the second."""
_WIDTH, _HEIGHT = 400, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 30, 34, 44


@frozen(kw_only=True)
class Panel:
    """One pair of axes with its lines by their labels."""

    title: str
    lines: Mapping[str, Points]


def drawn(panels: Sequence[Panel], *, across: str) -> str:
    """Return the picture: the panels side by side, and below them which colour is which."""
    labels = tuple(dict.fromkeys(label for panel in panels for label in panel.lines))
    parts = [_panel(panel, at * _WIDTH, labels, across) for at, panel in enumerate(panels)]
    width, height = _WIDTH * len(panels), _HEIGHT + 30
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    head = f'<svg {box} font-family="sans-serif" font-size="12">'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    return "\n".join((head, ground, *parts, *map(_legend, labels, range(len(labels))), "</svg>\n"))


def _legend(label: str, at: int) -> str:
    x, y, colour = _LEFT + at * 300, _HEIGHT + 12, _COLOURS[at]
    line = _line([(x, y), (x + 24, y)], colour, dashes=_DASHES[at])
    return f'{line}<text x="{x + 30}" y="{y + 4}" fill="{colour}">{label}</text>'


def _panel(panel: Panel, left: int, labels: Sequence[str], across: str) -> str:
    points = [point for line in panel.lines.values() for point in line]
    xs, ys = _span([x for x, _ in points]), _span([y for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - xs[0]) / (xs[1] - xs[0]) * (_WIDTH - _LEFT - _RIGHT)
        up = (log10(y) - ys[0]) / (ys[1] - ys[0]) * (_HEIGHT - _TOP - _BOTTOM)
        return left + _LEFT + across, _HEIGHT - _BOTTOM - up

    parts = [f'<text x="{left + _LEFT}" y="{_TOP - 14}" font-weight="bold">{panel.title}</text>']
    for power in range(xs[0], xs[1] + 1):
        foot, head = place(10.0**power, 10.0 ** ys[0]), place(10.0**power, 10.0 ** ys[1])
        label = f'<text x="{foot[0]:.0f}" y="{foot[1] + 16:.0f}" text-anchor="middle">{10**power:,}</text>'
        parts += [_line([foot, head], "#d0d7de", 1), label]
    for power in range(ys[0], ys[1] + 1):
        foot, head = place(10.0 ** xs[0], 10.0**power), place(10.0 ** xs[1], 10.0**power)
        number = f"{10.0**power:,g}" if power < 0 else f"{10**power:,}"
        label = f'<text x="{foot[0] - 6:.0f}" y="{foot[1] + 4:.0f}" text-anchor="end">{number}</text>'
        parts += [_line([foot, head], "#d0d7de", 1), label]
    middle = left + _LEFT + (_WIDTH - _LEFT - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 8}" text-anchor="middle">{across}</text>')
    for label, line in panel.lines.items():
        colour, dashes = _COLOURS[labels.index(label)], _DASHES[labels.index(label)]
        places = [place(x, y) for x, y in line]
        parts.append(_line(places, colour, dashes=dashes))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    return "\n".join(parts)


def _line(points: Points, colour: str, width: int = 2, dashes: str = "none") -> str:
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dashes}"/>'
    )


def _span(values: Sequence[float]) -> tuple[int, int]:
    """Return the powers of ten around all values."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)
