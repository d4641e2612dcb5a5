"""``thirdring-device selftest`` on whichever SIP stack this environment has."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority

pytestmark = pytest.mark.sip


def selftest(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "thirdring_device.cli", "selftest", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def over_tls(folder: Path, allow_old_tls: bool) -> str:
    file = folder / "settings.toml"
    file.write_text(
        f'[trunk]\ntransport = "tls"\ntls_ca_file = "{Authority(folder).file}"\n'
        f"allow_old_tls = {str(allow_old_tls).lower()}\n",
        encoding="utf-8",
    )
    return str(file)


@pytest.fixture(scope="module")
def found() -> Any:
    done = selftest("--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_stack_and_tls_library_are_named(found: Any) -> None:
    assert found["stack"].startswith("pjsua2 2.")
    assert found["tls"].startswith("OpenSSL ")
    assert {"PCMA", "PCMU", "G722"} <= set(found["codecs"])


def test_what_the_wheel_lacks_is_a_warning_and_the_built_stack_has_it(found: Any) -> None:
    lacks = " ".join(found["warnings"])
    old = found["stack"].startswith("pjsua2 2.15")
    assert ("security fixes" in lacks) == old
    assert ("opus" in lacks) == old
    assert found["alsa"]


def test_headset_that_is_not_there_is_refused_by_number(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[headset]\ndevice = "usb:dead:beef"\n', encoding="utf-8")
    refused = selftest("--settings", str(file))
    assert refused.returncode == 2
    assert "error 4001" in refused.stderr
    file.write_text('[headset]\ndevice = "no-such-device"\n', encoding="utf-8")
    refused = selftest("--settings", str(file))
    assert "error 4001" in refused.stderr
    assert "no-such-device" in refused.stderr


def test_old_tls_is_refused_by_number_unless_allowed(tmp_path: Path, found: Any) -> None:
    old = found["tls"].startswith("OpenSSL 1.")
    refused = selftest("--settings", over_tls(tmp_path, allow_old_tls=False))
    assert refused.returncode == (2 if old else 0), refused.stderr
    assert ("error 3005" in refused.stderr) == old
    allowed = selftest("--settings", over_tls(tmp_path, allow_old_tls=True))
    assert allowed.returncode == 0, allowed.stderr
    assert allowed.stdout.endswith("ok\n")
