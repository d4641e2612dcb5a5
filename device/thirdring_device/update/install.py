"""The process that installs one update; when it has ended well, ``thirdring-update.service`` restarts."""

import dataclasses
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from thirdring.protocol.commands import GetHeadset
from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.update.engine import SOURCE, ask, desk_state
from thirdring_device.update.rauc import Bundle, Rauc
from thirdring_device.update.state import Progress, Request, Trial, UpdateFolder

__all__ = ["check", "run_update"]

LOOK_S: Final = 2.0
"""How often it is looked whether the call that is up has ended."""
CHUNK_BYTES: Final = 1 << 20
STEP_PERCENT: Final = 5
"""What is told is written through to the disk each time."""
SILENT_S: Final = 30.0
"""After which a server that sends nothing is given up."""

log = logging.getLogger(__name__)


def run_update(state_dir: Path, rauc: Rauc) -> bool:
    """Install what is asked for; return whether the unit is to restart now. Nothing is raised: it is told."""
    folder = UpdateFolder(state_dir)
    with folder.running():
        request = folder.take()
        if request is None:
            return False
        teller = _Teller(folder)
        try:
            rauc.require()
            _update(state_dir, folder, request, rauc, teller)
        except ThirdringError as reason:
            log.warning("no update: %s", reason)
            folder.forget_trial()
            teller.tell(phase="failed", code=reason.code, detail=reason.detail)
            return False
        finally:
            folder.incoming.unlink(missing_ok=True)
        return True


class _Teller:
    """Writes where the update is, each step once."""

    def __init__(self, folder: UpdateFolder) -> None:
        self._folder = folder
        self._told = Progress()

    def tell(self, **what: object) -> None:
        now = dataclasses.replace(self._told, **what)  # type: ignore[arg-type]
        if now != self._told:
            self._told = now
            self._folder.tell(now)


def _update(state_dir: Path, folder: UpdateFolder, request: Request, rauc: Rauc, teller: _Teller) -> None:
    if request.wait:
        teller.tell(phase="waiting")
        _wait_for_the_call(state_dir)
    if request.url:
        teller.tell(phase="fetching", percent=0)
        _fetch(request.url, folder, lambda percent: teller.tell(percent=percent))
    teller.tell(phase="checking", percent=0)
    bundle = check(folder.incoming, rauc, force=request.force)
    teller.tell(phase="installing", version=bundle.version.text)
    trial = _how_it_is(state_dir, rauc, bundle)
    folder.begin_trial(trial)
    rauc.install(folder.incoming, lambda percent: teller.tell(percent=percent))
    folder.begin_trial(dataclasses.replace(trial, written=True))
    teller.tell(phase="waiting", percent=100)
    _wait_for_the_call(state_dir)
    teller.tell(phase="restarting")


def check(path: Path, rauc: Rauc, *, force: bool = False) -> Bundle:
    """Return what a bundle is; raises ``ApplianceError`` 7032, 7033, 7034, 7036: it is not for this unit."""
    bundle = rauc.inspect(path)
    if bundle.board != rauc.board:
        raise error(7033, f"{bundle.board}, this is {rauc.board}")
    if bundle.version < rauc.running and not force:
        raise error(7036, f"{bundle.version.text}, {rauc.running.text} runs")
    return bundle


def _wait_for_the_call(state_dir: Path) -> None:
    """Return when no call is there; an engine that does not answer has none that could be kept."""
    while True:
        try:
            if not desk_state(state_dir).calls:
                return
        except ThirdringError as reason:
            log.info("the engine does not say whether a call is up: %s", reason)
            return
        time.sleep(LOOK_S)


def _how_it_is(state_dir: Path, rauc: Rauc, bundle: Bundle) -> Trial:
    """Return what the new version has to be as good as."""
    left = Trial(left_slot=rauc.slot, version=bundle.version.text)
    try:
        headset = ask(state_dir, GetHeadset(source=SOURCE))
        trunk = desk_state(state_dir).trunk
        return dataclasses.replace(left, trunk=trunk, headset=bool(headset["present"]))
    except ThirdringError:
        return left


def _fetch(url: str, folder: UpdateFolder, percent: Callable[[int], None]) -> None:
    """Write what ``url`` has to the incoming bundle; raises ``ApplianceError`` 7035, 7038."""
    try:
        with (
            httpx.Client(
                verify=ssl.create_default_context(), follow_redirects=True, timeout=SILENT_S, trust_env=False
            ) as client,
            client.stream("GET", url) as answer,
            folder.incoming.open("wb") as file,
        ):
            answer.raise_for_status()
            size_bytes = int(answer.headers.get("content-length", 0))
            folder.check_room(size_bytes)
            got_bytes = 0
            for chunk in answer.iter_bytes(CHUNK_BYTES):
                folder.check_room(len(chunk))
                file.write(chunk)
                got_bytes += len(chunk)
                if size_bytes:
                    percent(STEP_PERCENT * (100 * got_bytes // size_bytes // STEP_PERCENT))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as reason:
        raise error(7038, f"{url}: {reason}") from reason
