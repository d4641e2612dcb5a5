"""The disk fills up while the desk works (reliability: calls go on, records are kept)."""

import contextlib
from pathlib import Path

import pytest

from tests.core.script import RULES
from tests.integration.conftest import Unit
from tests.peers import SippPeer, wait_until
from thirdring.protocol.events import RingBurst, Verdict

pytestmark = pytest.mark.sip


def test_calls_go_on_while_the_disk_is_full_and_are_recorded_afterwards(tmp_path: Path) -> None:
    unit = Unit(tmp_path, "[headset]\near_record = false\n", disk_mb=8)
    unit.start()
    try:
        blocker = unit.state_dir / "blocker"
        _fill(blocker)
        calls = 0
        while unit.desk.state().storage == "ok":
            _one_call(unit, tmp_path)
            _fill(blocker)
            calls += 1
            assert calls < 60, "the disk never filled"
        call_id = _one_call(unit, tmp_path)
        assert unit.desk.state().storage == "full"
        blocker.unlink()
        wait_until(lambda: unit.desk.state().storage == "ok", "the journal is written again", 20.0)
        detail = unit.desk.call(call_id)
        assert (detail.call.state, detail.call.cause) == ("ended", "hangup")
        assert [verdict.rule for verdict in detail.verdicts] == RULES
        full = [r for r in unit.desk.call_events(call_id) if isinstance(r.event, Verdict)]
        assert full
    finally:
        unit.stop()


def _fill(blocker: Path) -> None:
    """Leave no free block on the disk."""
    with contextlib.suppress(OSError), blocker.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def _one_call(unit: Unit, directory: Path) -> str:
    after = unit.desk.state().last_event
    with SippPeer(
        "call_and_hang_up", directory, target=unit.target, keys={"caller": "13800138000"}, hold_ms=1100
    ) as peer:
        unit.desk.wait_for(lambda r: isinstance(r.event, RingBurst), timeout_s=10.0, after=after)
        call_id = unit.desk.answer()
        peer.wait()
    unit.desk.wait_for(
        lambda r: isinstance(r.event, Verdict) and r.event.rule == "voice.level", timeout_s=10.0, after=after
    )
    return call_id
