"""Levels over time on one even grid, and how a long call is thinned out for a picture."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from thirdring.protocol.events import SILENCE_DBOV, Levels

__all__ = ["LevelSeries", "level_series"]

NOMINAL_STEP_S = 0.1

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSeries:
    """Levels in dBov, value ``i`` over the ``step_s`` that begin at ``start_s + i * step_s``.

    ``*_rms``: root mean square level. ``*_active``: ITU-T P.56 active speech level over the last 3 s of
    active speech, None while that side is silent. None: not measured.
    """

    start_s: float
    step_s: float
    agent_before_rms: Values
    agent_after_rms: Values
    customer_rms: Values
    agent_before_active: Values
    agent_after_active: Values
    customer_active: Values

    def decimated(self, points: int) -> "LevelSeries":
        """Return a series of at most ``points`` values, each the mean power of those it stands for."""
        factor = math.ceil(len(self.agent_after_rms) / points)
        if factor <= 1:
            return self
        return LevelSeries(
            start_s=self.start_s,
            step_s=self.step_s * factor,
            agent_before_rms=_thinned(self.agent_before_rms, factor),
            agent_after_rms=_thinned(self.agent_after_rms, factor),
            customer_rms=_thinned(self.customer_rms, factor),
            agent_before_active=_thinned(self.agent_before_active, factor),
            agent_after_active=_thinned(self.agent_after_active, factor),
            customer_active=_thinned(self.customer_active, factor),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the series as a JSON object, levels rounded to 0.1 dB."""
        values = {
            name: [None if level is None else round(level, 1) for level in getattr(self, name)]
            for name in (
                "agent_before_rms",
                "agent_after_rms",
                "customer_rms",
                "agent_before_active",
                "agent_after_active",
                "customer_active",
            )
        }
        return {"start_s": round(self.start_s, 3), "step_s": round(self.step_s, 3), **values}


def mean_power_dbov(levels: Iterable[float | None]) -> float | None:
    """Return the level of the mean power of ``levels``; None when there is none."""
    known = [level for level in levels if level is not None]
    if not known:
        return None
    power = sum(10.0 ** (level / 10.0) for level in known) / len(known)
    return max(SILENCE_DBOV, 10.0 * math.log10(power))


def _thinned(values: Values, factor: int) -> Values:
    return tuple(mean_power_dbov(values[i : i + factor]) for i in range(0, len(values), factor))


def level_series(measured: Sequence[tuple[float, Levels]]) -> LevelSeries | None:
    """Build the series from ``(where media time 0 stands on the axis, levels)``; None when there are none."""
    whole = [(origin_s, levels) for origin_s, levels in measured if levels.agent_after_rms_dbov]
    if not whole:
        return None
    first_origin_s, first = whole[0]
    step_s = first.interval_s / len(first.agent_after_rms_dbov) or NOMINAL_STEP_S
    start_s = first_origin_s + first.end_s - first.interval_s
    end_s = max(origin_s + levels.end_s for origin_s, levels in whole)
    count = max(1, round((end_s - start_s) / step_s))
    grids: list[list[float | None]] = [[None] * count for _ in range(6)]
    for origin_s, levels in whole:
        at = round((origin_s + levels.end_s - levels.interval_s - start_s) / step_s)
        rms = (levels.agent_before_rms_dbov, levels.agent_after_rms_dbov, levels.customer_rms_dbov)
        sliding = (
            (levels.agent_before_sliding_dbov, levels.agent_active_s),
            (levels.agent_after_sliding_dbov, levels.agent_active_s),
            (levels.customer_sliding_dbov, levels.customer_active_s),
        )
        for grid, values in zip(grids[:3], rms, strict=True):
            for i, value in enumerate(values):
                if 0 <= at + i < count:
                    grid[at + i] = value
        for grid, (level, active_s) in zip(grids[3:], sliding, strict=True):
            if active_s > 0 and level > SILENCE_DBOV:
                for i in range(len(levels.agent_after_rms_dbov)):
                    if 0 <= at + i < count:
                        grid[at + i] = level
    before, after, customer, before_active, after_active, customer_active = (tuple(g) for g in grids)
    return LevelSeries(
        start_s=start_s,
        step_s=step_s,
        agent_before_rms=before,
        agent_after_rms=after,
        customer_rms=customer,
        agent_before_active=before_active,
        agent_after_active=after_active,
        customer_active=customer_active,
    )
