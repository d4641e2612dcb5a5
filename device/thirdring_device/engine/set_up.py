"""What a unit is set up with: a try of its trunk, the headset test, and a new start of the engine."""

import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import Command, GetHeadsetTest, Restart, TestHeadset, TestTrunk
from thirdring.protocol.errors import error
from thirdring.protocol.views import HeadsetTest
from thirdring_device.adapters.headset.choose import make_headset
from thirdring_device.adapters.hid.choose import make_buttons
from thirdring_device.adapters.sip.adapter import SipAdapter
from thirdring_device.adapters.sip.addresses import AllowedSources
from thirdring_device.adapters.sip.servers import ServerLookup, check_trunk
from thirdring_device.adapters.sip.tls import check_tls
from thirdring_device.adapters.sip.trial import trial_input
from thirdring_device.engine.headset_check import LISTEN_S, HeadsetCheck
from thirdring_device.settings import Settings, changed

__all__ = ["SET_UP_COMMANDS", "SetUp"]

log = logging.getLogger(__name__)

SET_UP_COMMANDS: Final = (TestTrunk, TestHeadset, GetHeadsetTest, Restart)
TRIAL: Final = "thirdring_device.adapters.sip.trial"
TRIAL_S: Final = 27.0
"""Look-ups and the answer take 20 s at most; what takes longer hangs."""
SECTION: Final = "trunk."


class SetUp:
    """Runs on the engine's loop. ``in_call`` and ``headset_present`` tell the engine's state."""

    def __init__(
        self,
        started: Settings,
        settings: Callable[[], Settings],
        sip: SipAdapter,
        *,
        in_call: Callable[[], bool],
        headset_present: Callable[[], bool],
        restart: Callable[[], None],
    ) -> None:
        """Know what the engine runs with (``started``) and what is kept now (``settings``)."""
        self._started, self._settings, self._sip = started, settings, sip
        self._in_call, self._headset_present, self._restart = in_call, headset_present, restart
        self._trial: asyncio.subprocess.Process | None = None
        self._trying = False
        self._check: HeadsetCheck | None = None

    async def execute(self, command: Command) -> Mapping[str, Any]:
        """Execute one of ``SET_UP_COMMANDS``."""
        if isinstance(command, TestTrunk):
            return await self._test_trunk(command.changes)
        if isinstance(command, TestHeadset):
            return self._test_headset()
        if isinstance(command, Restart):
            return self._start_anew()
        return to_fields(self._headset_test())

    def check(self, settings: Settings) -> None:
        """Refuse a trunk that no engine could start with; raises ``StorageError`` 5005."""
        check_trunk(settings.trunk)
        ServerLookup(settings.trunk)
        AllowedSources(settings.trunk.peers, frozenset)

    def close(self) -> None:
        """End a try that is on its way."""
        if self._trial is not None:
            with contextlib.suppress(ProcessLookupError):
                self._trial.kill()

    # --- the trunk --------------------------------------------------------------------------------

    async def _test_trunk(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in changes:
            if not name.startswith(SECTION):
                raise error(5004, f"{name}: only settings of the trunk are tried")
        settings = changed(self._settings(), changes)
        self.check(settings)
        if self._trying:
            raise error(3013)
        self._trying = True
        try:
            return await self._tried(trial_input(settings))
        finally:
            self._trying, self._trial = False, None

    async def _tried(self, text: str) -> Mapping[str, Any]:
        self._trial = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", TRIAL),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TRIAL_S):
                told, said = await self._trial.communicate(text.encode())
        except TimeoutError:
            raise error(3003, f"nothing within {TRIAL_S:.0f} s") from None
        finally:
            if self._trial.returncode is None:
                self._trial.kill()
                await self._trial.wait()
        try:
            return dict(json.loads(told))
        except ValueError as reason:
            log.error("the try of a trunk: %s", said.decode(errors="replace")[-2000:])
            raise error(7002, f"the try ended with {self._trial.returncode}") from reason

    # --- the headset ------------------------------------------------------------------------------

    def _test_headset(self) -> Mapping[str, Any]:
        if self._in_call():
            raise error(2003, "the headset is tested between calls")
        if not self._headset_present():
            raise error(4001)
        self._check = HeadsetCheck(self._settings().audio)
        self._sip.check_headset(self._check)
        return to_fields(self._headset_test())

    def _headset_test(self) -> HeadsetTest:
        return HeadsetTest(state="idle", listen_s=LISTEN_S) if self._check is None else self._check.view()

    # --- a new start ------------------------------------------------------------------------------

    def _start_anew(self) -> Mapping[str, Any]:
        if self._in_call():
            raise error(2003, "the engine is started anew between calls")
        self._check_start(self._settings())
        self._restart()
        return {"restarting": True}

    def _check_start(self, settings: Settings) -> None:
        """Refuse, with the error that it would end with, a start that these settings stand in the way of."""
        self.check(settings)
        if settings.trunk.transport == "tls":
            check_tls(settings.trunk)
        make_headset(settings.headset, Path())
        make_buttons(settings.headset)
        sip, begun = settings.sip, self._started
        if (sip.bind, sip.port) != (begun.sip.bind, begun.sip.port):
            _check_port(sip.bind, sip.port, socket.SOCK_DGRAM, socket.SOCK_STREAM)
        listens = begun.trunk.transport == "tls" and (sip.bind, sip.tls_port) == (
            begun.sip.bind,
            begun.sip.tls_port,
        )
        if settings.trunk.transport == "tls" and not listens:
            _check_port(sip.bind, sip.tls_port, socket.SOCK_STREAM)


def _check_port(bind: str, port: int, *kinds: socket.SocketKind) -> None:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    for kind in kinds:
        with socket.socket(family, kind) as probe:
            try:
                if (
                    kind == socket.SOCK_STREAM
                ):  # as the stack does: connections that are just over do not count
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((bind, port))
            except OSError as reason:
                raise error(3004, f"{bind}:{port}: {reason}") from reason
