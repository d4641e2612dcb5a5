"""What RTCP and the jitter buffer say of a call's streams, gathered into one ``call_quality``."""

from dataclasses import dataclass
from typing import Any

import pjsua2 as pj

from thirdring.protocol.events import CallQuality
from thirdring_device.core.emodel import mos_of_stream

__all__ = ["QualityMeter"]


@dataclass(slots=True)
class _Sample:
    """One stream's figures; a call has several when its codec or address changed."""

    codec: str
    encrypted: bool
    received: int
    lost: int
    discarded: int
    jitter_ms: float
    buffer_ms: float
    sent: int
    sent_lost: int
    sent_jitter_ms: float | None
    round_trip_ms: float | None


def _percent(part: int, whole: int) -> float:
    return round(100.0 * part / whole, 2) if whole else 0.0


class QualityMeter:
    """Keeps the latest figures of every stream the call had; counters that fall back are a new stream's."""

    def __init__(self) -> None:
        self._samples: list[_Sample] = []

    def sample(self, call: Any, index: int) -> None:
        """Read the figures of ``call``'s stream ``index``; raises ``pjsua2.Error`` when it has none."""
        statistics = call.getStreamStat(index)
        info = call.getStreamInfo(index)
        received, sent = statistics.rtcp.rxStat, statistics.rtcp.txStat
        trip = statistics.rtcp.rttUsec
        sample = _Sample(
            codec=info.codecName,
            encrypted=bool(info.proto & pj.PJMEDIA_TP_PROFILE_SRTP),
            received=received.pkt,
            lost=received.loss,
            discarded=statistics.jbuf.discard,
            jitter_ms=received.jitterUsec.mean / 1000,
            buffer_ms=float(statistics.jbuf.avgDelayMsec),
            sent=sent.pkt,
            sent_lost=sent.loss,
            # The other side's reports: figures about what we sent only when one came.
            sent_jitter_ms=sent.jitterUsec.mean / 1000 if sent.updateCount else None,
            round_trip_ms=trip.mean / 1000 if trip.n else None,
        )
        before = self._samples[-1] if self._samples else None
        if before is not None and sample.received >= before.received and sample.sent >= before.sent:
            self._samples.pop()
        self._samples.append(sample)

    def event(self, at_s: float, call_id: str) -> CallQuality | None:
        """Return the whole call's figures, ``None`` for a call without a stream."""
        if not self._samples:
            return None
        last = self._samples[-1]
        received, lost, discarded, sent, sent_lost = (
            sum(getattr(sample, name) for sample in self._samples)
            for name in ("received", "lost", "discarded", "sent", "sent_lost")
        )
        lost_percent = _percent(lost, received + lost)
        gone_percent = _percent(lost + discarded, received + lost)
        reported = last.sent_jitter_ms is not None
        sent_lost_percent = _percent(sent_lost, sent) if reported else None
        # The way there and back is taken to be equally long; a frame lasts 20 ms.
        way_ms = (last.round_trip_ms or 0.0) / 2 + 20.0
        return CallQuality(
            at_s=at_s,
            call_id=call_id,
            codec=last.codec,
            encrypted=all(sample.encrypted for sample in self._samples),
            received=received,
            lost_percent=lost_percent,
            discarded_percent=_percent(discarded, received + lost),
            jitter_ms=round(last.jitter_ms, 2),
            buffer_ms=last.buffer_ms,
            sent=sent,
            sent_lost_percent=sent_lost_percent,
            sent_jitter_ms=round(last.sent_jitter_ms, 2) if last.sent_jitter_ms is not None else None,
            round_trip_ms=round(last.round_trip_ms, 2) if last.round_trip_ms is not None else None,
            heard_mos=mos_of_stream(last.codec, way_ms + last.buffer_ms, gone_percent) if received else None,
            sent_mos=(
                mos_of_stream(last.codec, way_ms, sent_lost_percent)
                if sent_lost_percent is not None
                else None
            ),
        )
