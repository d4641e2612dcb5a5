"""A running unit is reset to how it was delivered."""

from pathlib import Path

import httpx
import pytest

from tests.integration.conftest import Unit
from tests.peers import wait_until

pytestmark = pytest.mark.sip


def test_a_reset_unit_comes_back_as_delivered(tmp_path: Path) -> None:
    unit = Unit(tmp_path)
    unit.start()
    try:
        unit.desk.set_settings({"firm.department": "Orders"})
        token, before = unit.state_dir / "api-token", unit.desk.state().last_event
        old = token.read_text(encoding="ascii").strip()
        headers = {"authorization": f"Bearer {old}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{unit.http_port}", headers=headers) as http:
            serial = http.get("/v1/unit").json()["machine"]["serial_number"]
            assert http.post("/v1/factory-reset", json={"serial_number": serial}).status_code == 202
        unit.desk.close()
        wait_until(
            lambda: token.exists() and token.read_text(encoding="ascii").strip() != old, "a new token", 60.0
        )
        wait_until(unit.connects, "the unit is back", 60.0)
        department = {view.name: view.value for view in unit.desk.settings()}["firm.department"]
        assert department != "Orders"
        assert unit.desk.state().last_event < before
        assert unit.desk.calls() == []
    finally:
        unit.stop()
