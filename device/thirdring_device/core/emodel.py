"""The E-model of ITU-T G.107: what packet loss and delay do to a conversation, as a mean opinion score.

Every parameter but the codec's, the delay and the loss has its default (G.107 table 2), echo is taken to be
cancelled: ``R = 93.2 - Idd - Ie,eff``. Only codecs for which ITU-T G.113 appendix I gives narrow-band values
are rated; what is unknown is not guessed. G.113 appendix IV has G.722 on the wide-band scale of G.107.1 (R up
to 129), whose scores cannot stand beside these; G.113 (11/2007) has nothing about Opus. Neither is rated.
"""

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["CODECS", "mos_of_rating", "mos_of_stream", "rating"]

DEFAULT_RATING: Final = 93.2
"""R with the defaults of G.107 clause 7.7."""

CODECS: Final[Mapping[str, tuple[float, float]]] = {"PCMA": (0.0, 25.1), "PCMU": (0.0, 25.1)}
"""Equipment impairment Ie and packet-loss robustness Bpl (G.113 table I.4: G.711 with loss concealment)."""


def rating(codec: str, delay_ms: float, loss_percent: float) -> float | None:
    """Return R for a mouth-to-ear delay and random loss; ``None`` for a codec without published values."""
    values = CODECS.get(codec.upper())
    if values is None:
        return None
    impairment, robustness = values
    # G.107 clause 7.5, BurstR = 1: losses are taken as independent of each other.
    effective = impairment + (95.0 - impairment) * loss_percent / (loss_percent + robustness)
    return DEFAULT_RATING - _delay_impairment(delay_ms) - effective


def _delay_impairment(delay_ms: float) -> float:
    """Return Idd (G.107 clause 7.4): what a delay too long for a conversation costs, without echo."""
    if delay_ms <= 100.0:
        return 0.0
    x = math.log2(delay_ms / 100.0)
    first, second = math.pow(1 + math.pow(x, 6), 1 / 6), math.pow(1 + math.pow(x / 3, 6), 1 / 6)
    return 25.0 * (first - 3 * second + 2)


def mos_of_rating(r: float) -> float:
    """Return the estimated mean opinion score, 1 to 4.5 (G.107 annex B)."""
    if r <= 0.0:
        return 1.0
    if r >= 100.0:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6)


def mos_of_stream(codec: str, delay_ms: float, loss_percent: float) -> float | None:
    """Return ``mos_of_rating(rating(...))`` rounded to 0.01, ``None`` where there is no rating."""
    r = rating(codec, delay_ms, loss_percent)
    return None if r is None else round(mos_of_rating(r), 2)
