"""The demonstration that one works at in a browser."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import wait_until
from thirdring import Appliance
from thirdring.protocol.events import RingBurst

pytestmark = pytest.mark.sip


def test_the_demonstration_tells_where_the_page_is_and_lets_callers_ring(tmp_path: Path) -> None:
    folder, said = tmp_path / "demo", tmp_path / "said"
    command = [sys.executable, "-m", "thirdring_device.cli", "demo", "--page", "--language", "en"]
    with said.open("wb") as out:
        process = subprocess.Popen([*command, "--out", str(folder)], stdout=out, start_new_session=True)
    try:
        wait_until(lambda: "rings" in said.read_text(encoding="utf-8"), "somebody rings", 60.0)
        words = said.read_text(encoding="utf-8")
        address = words.partition("Open ")[2].partition(" ")[0]
        assert "first password of the technician: " in words
        with Appliance(address, token_file=folder / "state" / "api-token") as desk:
            rung = desk.wait_for(lambda record: isinstance(record.event, RingBurst), 20.0, after=0)
            assert desk.answer() == rung.event.call_id
            desk.wait_for("talk_spurt", 20.0, after=rung.number)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: everybody hears it
        assert process.wait(20) == 0
    assert "The demonstration is over." in said.read_text(encoding="utf-8")
