"""After each start: is this slot well? One that is not, after an update, is given up for the one before."""

import dataclasses
import http.client
import logging
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thirdring.protocol.commands import GetHeadset
from thirdring.protocol.errors import ThirdringError
from thirdring_device.settings import GatewaySettings, load_settings
from thirdring_device.update.engine import SOURCE, ask, desk_state
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import Progress, Trial, UpdateFolder

__all__ = ["LIMIT_S", "Hopeless", "judge", "restarts", "run_health"]

LIMIT_S: Final = 900.0
"""From power on. An emulator beside other work has taken 474 s; what ends by itself is not waited for."""
LOOK_S: Final = 5.0
RESTARTS_LOOK_S: Final = 30.0
"""The engine's start has better use for the processor than to be asked after."""
ASK_S: Final = 10.0
MOST_RESTARTS: Final = 10
"""Of a process: it will not be ready. On a starved board the watchdog ends one that is well some times."""
UNITS: Final = ("thirdring-engine.service", "thirdring-gateway.service")
UP: Final = ("registered", "static")
"""States of a trunk that takes calls."""

log = logging.getLogger(__name__)


class Hopeless(Exception):  # noqa: N818 - says what it is
    """There is nothing to wait for."""


def run_health(state_dir: Path, settings_file: Path | None, rauc: Rauc) -> bool:
    """Judge this start and mark the slot; return whether the unit is to restart into the other one.

    It never is where nothing is on trial: there is no newer version to go back from. Nothing is raised.
    """
    folder = UpdateFolder(state_dir)
    trial = folder.trial()
    if trial is not None and trial.left_slot == rauc.slot:
        if trial.written:
            log.warning("version %s did not start: back on slot %s", trial.version, rauc.slot)
            folder.end_trial(
                Progress(phase="failed", version=trial.version, code=7040, detail="it did not start")
            )
        else:
            log.warning("version %s was cut off while it was written", trial.version)
            folder.forget_trial()
        trial = None
    try:
        return _judge_start(state_dir, settings_file, rauc, folder, trial)
    except Exception:
        log.exception("the health check itself failed")
        return trial is not None


def _judge_start(
    state_dir: Path, settings_file: Path | None, rauc: Rauc, folder: UpdateFolder, trial: Trial | None
) -> bool:
    if trial is None:
        folder.sweep()
    else:
        folder.begin_trial(dataclasses.replace(trial, written=True))
        folder.tell(Progress(phase="trial", percent=100, version=trial.version))

    why = judge(_Look(state_dir, settings_file, trial), LIMIT_S - time.clock_gettime(time.CLOCK_BOOTTIME))
    if not why:
        rauc.mark("good")
        log.info("slot %s is well", rauc.slot)
        if trial is not None:
            folder.end_trial(Progress(phase="done", percent=100, version=trial.version))
        return False
    log.error("slot %s is not well: %s", rauc.slot, why)
    if trial is None:
        return False  # there is nothing newer to go back from
    rauc.mark("bad")
    folder.end_trial(Progress(phase="failed", version=trial.version, code=7040, detail=why))
    return True


def judge(unwell: Callable[[], str], limit_s: float, look_s: float = LOOK_S) -> str:
    """Ask until nothing is wrong any more; return what still is after ``limit_s``, empty when all is well."""
    until_s = time.monotonic() + limit_s
    while True:
        try:
            why = unwell()
        except Hopeless as reason:
            return str(reason)
        if not why or time.monotonic() > until_s:
            return why
        time.sleep(look_s)


class _Look:
    """Returns what is wrong; what was not well before the update is not asked of the new version either."""

    def __init__(self, state_dir: Path, settings_file: Path | None, trial: Trial | None) -> None:
        self._state_dir = state_dir
        self._settings_file = settings_file
        self._trial = trial
        self._counted_s = time.monotonic()

    def __call__(self) -> str:
        try:
            state = desk_state(self._state_dir)
            headset = ask(self._state_dir, GetHeadset(source=SOURCE))
        except ThirdringError as reason:
            self._count_restarts()
            return str(reason)
        if why := _gateway_unwell(load_settings(self._settings_file, self._state_dir).gateway):
            return why
        if self._trial is None:
            return ""
        if self._trial.headset and not headset["present"]:
            return "the headset does not open"
        if self._trial.trunk in UP and state.trunk not in UP:
            return f"the trunk is {state.trunk}"
        return ""

    def _count_restarts(self) -> None:
        if time.monotonic() - self._counted_s < RESTARTS_LOOK_S:
            return
        self._counted_s = time.monotonic()
        for unit in UNITS:
            if restarts(unit) >= MOST_RESTARTS:
                raise Hopeless(f"{unit} ends again and again")


def _gateway_unwell(gateway: GatewaySettings) -> str:
    """Ask ``/readyz`` over loopback, by whatever certificate."""
    line: http.client.HTTPConnection
    if gateway.tls == "off":
        line = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=ASK_S)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection("127.0.0.1", gateway.port, timeout=ASK_S, context=context)
    try:
        line.request("GET", "/readyz")
        status = line.getresponse().status
    except (OSError, http.client.HTTPException) as reason:
        return f"the gateway does not answer: {reason}"
    finally:
        line.close()
    return "" if status == http.client.OK else f"the gateway answers {status}"


def restarts(unit: str) -> int:
    """Return how often systemd has started a unit again; 0 where nobody knows."""
    command = ["systemctl", "show", "--value", "--property=NRestarts", unit]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=False)
        return int(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0
