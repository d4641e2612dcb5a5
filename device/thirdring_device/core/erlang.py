"""Erlang C: how many agents a load of calls needs.

A. K. Erlang, "Solution of some Problems in the Theory of Probabilities of Significance in Automatic
Telephone Exchanges" (1917); Gans, Koole, Mandelbaum (2003), section 4.1. Arrivals are Poisson, handling
times exponential, nobody hangs up while waiting: the result errs on the side of more agents.
"""

import math

from thirdring.protocol.figures import Staffing

__all__ = ["MOST_AGENTS", "probability_of_waiting", "staffing"]

MOST_AGENTS = 10_000
"""More is no desk of ours but a mistyped number."""
HOUR_S = 3600.0


def probability_of_waiting(load_erlang: float, agents: int) -> float:
    """Return the Erlang C probability (0 to 1) that a call has to wait; 1 when the load is too much.

    By the recursion of Erlang B, B(n) = A B(n-1) / (n + A B(n-1)), which cannot overflow, and
    C = B / (1 - A/N (1 - B)).
    """
    if load_erlang >= agents:
        return 1.0
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load_erlang * blocked / (n + load_erlang * blocked)
    return blocked / (1.0 - load_erlang / agents * (1.0 - blocked))


def staffing(
    calls_per_h: float,
    handling_time_s: float,
    *,
    answer_within_s: float,
    service_level_percent: float,
    shrinkage_percent: float = 0.0,
    most_occupancy_percent: float = 100.0,
) -> Staffing:
    """Return the fewest agents that reach the service level without exceeding the occupancy.

    Raises ``ValueError`` for a load that is negative or needs more than ``MOST_AGENTS``, for a handling time
    that is not positive, and for percentages outside their sense.
    """
    load_erlang = calls_per_h * handling_time_s / HOUR_S
    sensible = 0.0 < service_level_percent < 100.0 and 0.0 < most_occupancy_percent <= 100.0
    if not sensible or not 0.0 <= shrinkage_percent < 100.0:
        raise ValueError("a percentage is outside its sense")
    if calls_per_h < 0.0 or not handling_time_s > 0.0 or not load_erlang < 0.8 * MOST_AGENTS:
        raise ValueError(f"{calls_per_h:g} calls per hour of {handling_time_s:g} s")
    agents = max(math.floor(load_erlang) + 1, math.ceil(load_erlang / most_occupancy_percent * 100.0))
    agents = 0 if load_erlang == 0.0 else agents
    while True:
        figures = _with(agents, calls_per_h, handling_time_s, answer_within_s, shrinkage_percent)
        if figures.service_level_percent >= service_level_percent:
            return figures
        agents += 1


def _with(
    agents: int, calls_per_h: float, handling_time_s: float, answer_within_s: float, shrinkage_percent: float
) -> Staffing:
    load_erlang = calls_per_h * handling_time_s / HOUR_S
    spare = agents - load_erlang
    waiting = probability_of_waiting(load_erlang, agents) if load_erlang else 0.0
    late = waiting * math.exp(-spare * answer_within_s / handling_time_s)
    return Staffing(
        calls_per_h=calls_per_h,
        handling_time_s=handling_time_s,
        load_erlang=load_erlang,
        agents=agents,
        scheduled=math.ceil(round(agents / (1.0 - shrinkage_percent / 100.0), 9)),
        waiting_percent=100.0 * waiting,
        service_level_percent=100.0 * (1.0 - late),
        average_speed_of_answer_s=waiting * handling_time_s / spare if load_erlang else 0.0,
        occupancy_percent=100.0 * load_erlang / agents if agents else 0.0,
    )
