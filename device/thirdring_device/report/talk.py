"""How the two sides shared the time."""

from collections.abc import Iterable, Sequence

from thirdring_device.report.model import Spurt, TalkShares

__all__ = ["talk_shares"]

Spans = list[tuple[float, float]]


def _merged(spans: Iterable[tuple[float, float]]) -> Spans:
    merged: Spans = []
    for start_s, end_s in sorted(spans):
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        elif end_s > start_s:
            merged.append((start_s, end_s))
    return merged


def _total_s(spans: Spans) -> float:
    return sum(end_s - start_s for start_s, end_s in spans)


def talk_shares(spurts: Sequence[Spurt], start_s: float, end_s: float) -> TalkShares:
    """Split ``start_s`` to ``end_s`` into agent alone, customer alone, both, and neither speaking."""
    end_s = max(start_s, end_s)
    clipped = [(s.side, max(start_s, s.start_s), min(end_s, s.end_s)) for s in spurts]
    agent = _merged((a, b) for side, a, b in clipped if side == "agent" and b > a)
    customer = _merged((a, b) for side, a, b in clipped if side == "customer" and b > a)
    anyone_s = _total_s(_merged([*agent, *customer]))
    agent_s, customer_s = _total_s(agent), _total_s(customer)
    both_s = max(0.0, agent_s + customer_s - anyone_s)
    return TalkShares(
        span_s=end_s - start_s,
        agent_s=agent_s - both_s,
        customer_s=customer_s - both_s,
        both_s=both_s,
        silence_s=max(0.0, end_s - start_s - anyone_s),
    )
