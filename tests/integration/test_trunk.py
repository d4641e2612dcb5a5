"""The appliance on a registered trunk: Kamailio with digest authentication, baresip as the other party."""

from pathlib import Path

import pytest
import soundfile

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.peers import PASSWORD, BaresipPeer, KamailioRegistrar, wait_until
from thirdring import TrunkError
from thirdring.protocol.events import RingBurst

pytestmark = pytest.mark.sip


def trunk(server: str, password: str) -> str:
    return f'[trunk]\nmode = "registered"\nserver = "{server}"\nuser = "desk"\npassword = "{password}"\n'


def test_baresip_calls_and_is_called_through_kamailio_with_digest(tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    soundfile.write(speech, signals.to_int16(signals.synthetic_mandarin()), 8000, "PCM_16")
    with KamailioRegistrar(tmp_path, challenge=True) as kamailio:
        unit = Unit(tmp_path, trunk(kamailio.server, PASSWORD))
        unit.start()
        try:
            wait_until(lambda: unit.desk.state().trunk == "registered", "registered", 20.0)
            with BaresipPeer(tmp_path, speaks=speech, user="200", proxy=kamailio.server) as peer:
                wait_until(lambda: kamailio.registers()[1] >= 2, "baresip is registered")
                after = unit.desk.state().last_event
                peer.dial(f"sip:desk@{kamailio.server}")
                unit.desk.wait_for(lambda r: isinstance(r.event, RingBurst), timeout_s=15.0, after=after)
                call_id = unit.desk.answer()
                spurt = unit.desk.wait_for("talk_spurt_started", timeout_s=10.0, after=after)
                assert getattr(spurt.event, "side", "") == "customer"
                unit.desk.hangup()
                unit.free()
                call = unit.desk.call(call_id).call
                assert (call.number, call.ended_by, call.cause) == ("200", "agent", "hangup")
                after = unit.desk.state().last_event
                unit.desk.dial("200")
                unit.desk.wait_for("media_started", timeout_s=15.0, after=after)
                unit.desk.hangup()
                unit.free()
        finally:
            unit.stop()


def test_wrong_password_is_told_in_plain_words_and_the_desk_stays_usable(tmp_path: Path) -> None:
    with KamailioRegistrar(tmp_path) as kamailio:
        unit = Unit(tmp_path, trunk(kamailio.server, "wrong"))
        unit.start()
        try:
            wait_until(lambda: unit.desk.state().trunk == "refused", "refused", 20.0)
            state = unit.desk.state()
            assert (state.trunk_sip_code, state.trunk_reason) == (401, "wrong user name or password")
            with pytest.raises(TrunkError) as caught:
                unit.desk.dial("200")
            assert caught.value.code == 3001
            assert unit.desk.state().calls == ()
            came, accepted = kamailio.registers()
            assert accepted == 0
            assert came <= 4
        finally:
            unit.stop()
