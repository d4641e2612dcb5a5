"""A unit is set up over HTTP: its trunk tried, the engine started anew, its headset tested."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import soundfile

from tests.dsp import signals
from tests.gateway.test_api import assert_problem
from tests.integration.conftest import Unit
from tests.integration.test_api_errors import Requests
from tests.peers import KamailioRegistrar, SippPeer, wait_until
from tests.udp_servers import ScriptedRegistrar

pytestmark = pytest.mark.sip

TARGET_DBOV = -26.0


@pytest.fixture
def ask(unit: Unit) -> Iterator[Requests]:
    asked = Requests(unit)
    asked.http.timeout = httpx.Timeout(40.0)
    yield asked
    asked.http.close()


def trunk(server: str, word: str = "right") -> dict[str, object]:
    values = {"mode": "registered", "server": server, "user": "desk", "password": word}
    return {f"trunk.{name}": value for name, value in values.items()}


def test_a_trunk_is_tried_then_kept_and_counts_after_a_new_start(
    unit: Unit, ask: Requests, tmp_path: Path
) -> None:
    with KamailioRegistrar(tmp_path) as kamailio:
        wrong = ask.http.post("/v1/trunk/test", json=trunk(kamailio.server, "guessed"))
        assert (wrong.json()["code"], wrong.json()["sip_code"]) == (3002, 401)
        assert ask.http.post("/v1/trunk/test", json=trunk(kamailio.server)).json()["code"] == 0
        assert unit.desk.state().trunk == "static", "nothing is kept"
        assert ask.http.patch("/v1/settings", json=trunk(kamailio.server)).json()["restart_required"]
        pid, after = unit.engine_pid(), unit.desk.state().last_event
        assert ask.post("restart").status_code == 202
        unit.desk.wait_for("engine_started", timeout_s=40.0, after=after)
        unit.desk.wait_for(
            lambda record: getattr(record.event, "state", "") == "registered", timeout_s=20.0, after=after
        )
        assert unit.engine_pid() == pid, "the supervisor need not notice"
        with SippPeer(
            "call_through_proxy", tmp_path, target=kamailio.server, number="desk", keys={"caller": "100"}
        ) as sipp:
            wait_until(lambda: unit.desk.state().calls, "a call comes", 20.0)
            assert_problem(ask.post("restart"), 2003)
            assert_problem(ask.post("headset/test"), 2003)
            # A try in a call: the call goes on.
            assert ask.http.post("/v1/trunk/test", json={}).json()["code"] == 0
            unit.desk.answer()
            sipp.wait()
        unit.free()


def test_what_cannot_be_tried_or_started_is_refused_beforehand(unit: Unit, ask: Requests) -> None:
    assert_problem(ask.http.post("/v1/trunk/test", json={"firm.name": "A"}), 5004)
    for name, value in (
        *(("server", "a:b"), ("server", "a b"), ("user", ""), ("user", 'a"b'), ("domain", "bad host")),
        *(("auth_user", "a\nb"), ("peers", ["everybody"])),
    ):
        assert_problem(ask.http.post("/v1/trunk/test", json={f"trunk.{name}": value}), 5005)
        assert_problem(ask.set(f"trunk.{name}", value), 5005)
    with ScriptedRegistrar([None]) as silent:
        body = trunk(silent.server)
        first = threading.Thread(target=lambda: ask.http.post("/v1/trunk/test", json=body))
        first.start()
        wait_until(lambda: silent.requests, "the first try is on its way", 20.0)
        assert_problem(ask.http.post("/v1/trunk/test", json=body), 3013)
        first.join()
    assert ask.set("headset.device", "usb:nothing").is_success
    assert_problem(ask.post("restart"), 5005)
    assert ask.set("headset.device", "simulated").is_success
    with socket.create_server(("0.0.0.0", 0)) as taken:
        over_tls = {"trunk.transport": "tls", "trunk.allow_old_tls": True}
        port = taken.getsockname()[1]
        assert ask.http.patch("/v1/settings", json={**over_tls, "sip.tls_port": port}).is_success
        assert_problem(ask.post("restart"), 3004)
        assert ask.set("trunk.transport", "udp").is_success


def test_the_headset_is_tested_and_a_call_comes_first(unit: Unit, ask: Requests, tmp_path: Path) -> None:
    speech = signals.to_int16(
        signals.at_active_level(signals.prompts(6, sample_rate_hz=16_000), TARGET_DBOV, 16_000)
    )
    soundfile.write(tmp_path / "speech.wav", speech, 16_000, "PCM_16")
    unit.desk.speak(str(tmp_path / "speech.wav"))
    assert ask.post("headset/test").json()["state"] == "listening"

    def state() -> dict[str, object]:
        return dict(ask.http.get("/v1/headset/test").json())

    wait_until(lambda: state()["state"] == "playing", "it has listened", 20.0)
    heard = state()
    assert abs(float(str(heard["speech_dbov"])) - TARGET_DBOV) < 2.0
    wait_until(lambda: state()["state"] == "idle", "it was played", 20.0)
    assert not state()["broken_off"]
    ear, _ = soundfile.read(unit.state_dir / "ear.wav", dtype="int16")
    assert abs(ear).max() > 1000, "what was spoken is heard in the ear"

    assert ask.post("headset/test").json()["state"] == "listening"
    with SippPeer(
        "call_and_cancel", tmp_path, target=unit.target, keys={"caller": "100"}, number="desk", hold_ms=2000
    ) as sipp:
        wait_until(lambda: state()["state"] == "idle", "the call comes first", 20.0)
        assert state()["broken_off"]
        sipp.wait()
    unit.free()


def test_devices_and_countries_are_listed(ask: Requests) -> None:
    assert {"device": "simulated", "name": "simulated"} in ask.http.get("/v1/headset/devices").json()
    rings = {one["country"]: one["ring_s"] for one in ask.http.get("/v1/countries").json()}
    assert (rings["CN"], rings["US"]) == (5.0, 6.0)
    named = ask.http.get("/v1/countries/CN/holidays", params={"language": "zh"}).json()
    assert len({one["name"] for one in named}) == len(named) == 4
    assert_problem(ask.http.get("/v1/countries/ZZ/holidays"), 1003)
