"""The certificate's pictures, as SVG that stands by itself."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

__all__ = ["levels_svg", "response_svg"]

WIDTH, HEIGHT = 560, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 12, 34
TICKS_HZ: Final = (50, 100, 200, 300, 500, 1000, 2000, 3400, 7000)
ROW: Final = 26
MARGIN_DB: Final = 1.0


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'


def response_svg(curve: Mapping[str, Any]) -> str:
    """Return a curve of the record over a logarithmic x axis, with its limits."""
    points = [(float(x), float(y)) for x, y in curve["points"]]
    low = [float(y) for y in curve["low"]]
    high = [float(y) for y in curve["high"]]
    floor: float = min([*low, *(y for _, y in points)]) - MARGIN_DB
    ceiling: float = max([*high, *(y for _, y in points)]) + MARGIN_DB
    first, last = math.log(points[0][0]), math.log(points[-1][0])

    def x_at(x: float) -> float:
        return LEFT + (math.log(x) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y_at(y: float) -> float:
        return TOP + (ceiling - y) / (ceiling - floor) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for tick in range(math.ceil(floor), math.floor(ceiling) + 1):
        parts.append(_line("grid", [(LEFT, y_at(tick)), (WIDTH - RIGHT, y_at(tick))]))
        parts.append(_text(LEFT - 6, y_at(tick) + 4, f"{tick:+d}" if tick else "0", "end"))
    for hz in TICKS_HZ:
        if points[0][0] <= hz <= points[-1][0]:
            parts.append(_line("grid", [(x_at(hz), TOP), (x_at(hz), HEIGHT - BOTTOM)]))
            parts.append(_text(x_at(hz), HEIGHT - BOTTOM + 14, f"{hz:g}"))
    parts += [
        _line("limit", [(x_at(x), y_at(y)) for (x, _), y in zip(points, limits, strict=True)])
        for limits in (low, high)
    ]
    parts.append(_line("curve", [(x_at(x), y_at(y)) for x, y in points]))
    parts += [f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="2.5"/>' for x, y in points]
    name = curve["name"].replace("_", " ")
    parts.append(_text(WIDTH / 2, HEIGHT - 4, f"{name}: {curve['y_unit']} over {curve['x_unit']}"))
    return _svg(curve["name"], HEIGHT, parts)


def levels_svg(measurements: Sequence[Mapping[str, Any]]) -> str:
    """Return what each way adds to the level, a row each, with its limits; empty without any."""
    gains = [
        taken for taken in measurements if taken["name"].endswith("_gain") and taken["value"] is not None
    ]
    if not gains:
        return ""
    reach = max(2.0, *(abs(float(taken["value"])) + 0.5 for taken in gains))
    left, height = 150, ROW * len(gains) + BOTTOM

    def x_at(db: float) -> float:
        return left + (db + reach) / (2 * reach) * (WIDTH - left - RIGHT)

    parts = []
    for tick in range(math.ceil(-reach), math.floor(reach) + 1):
        parts.append(_line("grid", [(x_at(tick), 4), (x_at(tick), height - BOTTOM)]))
        parts.append(_text(x_at(tick), height - BOTTOM + 14, f"{tick:+d}" if tick else "0"))
    for row, taken in enumerate(gains):
        y = ROW * (row + 0.5) + 4
        parts.append(_text(left - 8, y + 4, taken["name"].removesuffix("_gain").replace("_", " "), "end"))
        for limit in (taken["low"], taken["high"]):
            if limit is not None:
                parts.append(_line("limit", [(x_at(limit), y - 9), (x_at(limit), y + 9)]))
        parts.append(_line("curve", [(x_at(0), y), (x_at(taken["value"]), y)]))
        parts.append(f'<circle cx="{x_at(taken["value"]):.1f}" cy="{y:.1f}" r="4"/>')
    parts.append(_text((left + WIDTH) / 2, height - 4, "what each way adds to the level: dB"))
    return _svg("levels", height, parts)


def _svg(name: str, height: float, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name)}">'
    return head + "".join(parts) + "</svg>"
