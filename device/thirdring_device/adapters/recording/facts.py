"""What a recording says besides its sound: the call's signalling facts, deflated."""

import base64
import json
import zlib
from collections.abc import Iterable
from typing import Final

from thirdring.protocol.errors import RequestError, error
from thirdring.protocol.events import (
    AgentRequested,
    Dtmf,
    Event,
    Record,
    Verdict,
    record_from_json,
    record_to_json,
)

__all__ = ["COMMENT_TAG", "from_comment", "is_kept", "pack", "to_comment", "unpack"]

COMMENT_TAG: Final = "thirdring-facts-1 "
LONGEST_TEXT: Final = 60
MOST_BYTES: Final = 4 * 1024 * 1024
"""Facts unpacked; a call has some kilobytes."""

_SIGNALLING: Final = frozenset(
    {
        "call_incoming",
        "call_outgoing",
        "call_alerting",
        "call_answered",
        "media_started",
        "hold_started",
        "hold_ended",
        "mute_started",
        "mute_ended",
        "transfer_progress",
        "recording_paused",
        "recording_resumed",
        "call_ended",
    }
)
_ACTIONS: Final = frozenset({"dial", "answer", "hangup", "transfer"})
_FREE_TEXT: Final = ("number", "display_name", "remote_uri", "reason")


def is_kept(event: Event) -> bool:
    """Return whether a recording carries ``event``: signalling, and the verdicts of the live call.

    Digits that came beside the sound are signalling; those that came as tones are heard again.
    """
    if isinstance(event, AgentRequested):
        return event.action in _ACTIONS
    if isinstance(event, Dtmf):
        return event.method != "tone"
    return event.kind in _SIGNALLING or isinstance(event, Verdict)


def pack(records: Iterable[Record], *, whole: bool = True) -> bytes:
    """Return the facts among ``records``, deflated.

    A recording that is not ``whole`` (paused, or cut short) carries the live verdicts, too: its sound does
    not give them again.
    """
    facts = []
    for record in records:
        if not is_kept(record.event) or (whole and isinstance(record.event, Verdict)):
            continue
        fact = record_to_json(record)
        if isinstance(record.event, Verdict):
            fact["evidence"] = []  # numbers of the journal, which are not in the recording
        else:  # free text of any length from the network
            fact.update({name: fact[name][:LONGEST_TEXT] for name in _FREE_TEXT if name in fact})
        facts.append(fact)
    return zlib.compress(json.dumps(facts, separators=(",", ":")).encode(), 9)


def unpack(packed: bytes, name: object) -> list[Record]:
    """Return the facts that ``pack`` has packed; raises ``MediaError`` 4000 for anything else."""
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(packed, MOST_BYTES)
        if not inflate.eof:
            raise ValueError("too long or cut short")
        return [record_from_json(fact) for fact in json.loads(text)]
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, RequestError) as reason:
        raise error(4000, f"{name}: its facts are damaged") from reason


def to_comment(packed: bytes) -> str:
    """Return packed facts as the text of a comment field."""
    return COMMENT_TAG + base64.b64encode(packed).decode("ascii")


def from_comment(comment: str, name: object) -> list[Record]:
    """Return the facts in a comment field, none for a foreign one; raises ``MediaError`` 4000."""
    if not comment.startswith(COMMENT_TAG):
        return []
    try:
        packed = base64.b64decode(comment.removeprefix(COMMENT_TAG), validate=True)
    except ValueError as reason:
        raise error(4000, f"{name}: its facts are damaged") from reason
    return unpack(packed, name)
