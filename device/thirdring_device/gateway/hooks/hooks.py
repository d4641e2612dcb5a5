"""All web hooks of the appliance, and the commands about them."""

import asyncio
import logging
import os
import secrets
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import Command, ListDeadLetters, ListHooks, RetryDeadLetters
from thirdring.protocol.errors import StorageError, ThirdringError, error
from thirdring.protocol.hooks import SECRET_PREFIX, hook_key
from thirdring.protocol.views import DeadLetterView, HookView
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.hooks.outbox import OUTBOX_FILE, Outbox
from thirdring_device.gateway.hooks.target import Target, networks
from thirdring_device.gateway.journal import Reader
from thirdring_device.hooks_settings import HooksSettings

if TYPE_CHECKING:
    from thirdring_device.gateway.hooks.hook import Hook

__all__ = ["SECRET_FILE", "GatewayClient", "Hooks"]

SECRET_FILE: Final = "hook-secret"  # noqa: S105 - the file's name
KEY_BYTES: Final = 32
RETRY_S: Final = 5.0
MOST_LISTED: Final = 1000

logger = logging.getLogger(__name__)


class Hooks:
    """The web hooks of one state folder. One that cannot work says why and leaves the others alone."""

    def __init__(
        self, settings: HooksSettings, state_dir: Path, client: EngineClient, reader: Reader
    ) -> None:
        """Open the outbox; when that cannot be done the views say so, and the gateway goes on."""
        self._settings = settings
        self._state_dir = state_dir
        self._client = client
        self._reader = reader
        self._outbox: Outbox | None = None
        self._hooks: dict[str, Hook] = {}
        self._troubles: dict[str, str] = {}
        path = state_dir / OUTBOX_FILE
        if settings.urls or path.exists():
            try:
                self._outbox = Outbox(path)
                self._outbox.keep_only(settings.urls)
                self._outbox.urge()
            except StorageError as reason:
                logger.error("web hooks: %s", reason)
                self._troubles = dict.fromkeys(settings.urls, str(reason))

    async def run(self) -> None:
        """Serve every web hook until cancelled."""
        if self._outbox is None:
            return
        try:
            async with asyncio.TaskGroup() as hooks:
                for url in dict.fromkeys(self._settings.urls):
                    hooks.create_task(self._keep_up(url), name=f"web hook {url}")
        finally:
            self._outbox.close()

    async def _keep_up(self, url: str) -> None:
        while True:
            try:
                await self._serve(url)
            except ThirdringError as reason:
                self._troubles[url] = str(reason)
                logger.error("web hook %s: %s", url, reason)
            except Exception:
                self._troubles[url] = str(error(7002))
                logger.exception("web hook %s failed; again in %.0f s", url, RETRY_S)
            await asyncio.sleep(RETRY_S)

    async def _serve(self, url: str) -> None:
        from thirdring_device.gateway.hooks.hook import Hook  # httpx, 5 MB: only where something is posted
        from thirdring_device.gateway.hooks.post import Poster

        assert self._outbox is not None  # noqa: S101 - made where there are addresses
        target, allowed = Target.of(url), networks(self._settings.networks)
        key = hook_key(self._secret())
        timeout_s, ca_file = self._settings.timeout_s, self._settings.ca_file
        poster = Poster(target, key, self._outbox.unit, allowed, timeout_s, ca_file)
        hook = Hook(url, self._settings, poster, self._outbox, self._client, self._reader)
        self._hooks[url] = hook
        self._troubles.pop(url, None)
        try:
            await hook.run()
        finally:
            del self._hooks[url]
            await poster.close()

    def _secret(self) -> str:
        """Return the secret; raises ``AccessError`` 6010 when its file cannot be read or made."""
        path = Path(self._settings.secret_file or self._state_dir / SECRET_FILE)
        try:
            if not self._settings.secret_file and not path.exists():
                text = SECRET_PREFIX + b64encode(secrets.token_bytes(KEY_BYTES)).decode()
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(text + "\n")
            return path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as reason:
            raise error(6010, f"{path}: {reason}") from reason

    def views(self) -> list[HookView]:
        """Return every address with what waits for it."""
        if self._outbox is not None:
            return self._outbox.hooks(self._settings.urls, self._troubles)
        empty = HookView(url="", position=0, waiting=0, delivered=0, delivered_utc="", dead=0, reason="")
        return [replace(empty, url=url, reason=reason) for url, reason in self._troubles.items()]

    def dead_letters(self, limit: int) -> list[DeadLetterView]:
        """Return the newest events that were given up; raises ``RequestError`` 1004."""
        if not 1 <= limit <= MOST_LISTED:
            raise error(1004, f"limit is {limit}, outside 1 to {MOST_LISTED}")
        return [] if self._outbox is None else self._outbox.dead_letters(limit)

    def retry(self, letter_id: int) -> int:
        """Send a dead letter, or every one (0), again; return how many. Raises ``RequestError`` 1003."""
        count = 0 if self._outbox is None else self._outbox.retry(letter_id)
        if letter_id and not count:
            raise error(1003, f"dead letter {letter_id}")
        if self._outbox is not None:
            self._outbox.urge()
        for hook in self._hooks.values():
            hook.urge()
        return count


class GatewayClient(EngineClient):
    """The engine's client for the servers: what is the gateway's own it answers itself."""

    hooks: Hooks
    """Set before the first command."""

    async def command(self, command: Command) -> dict[str, Any]:
        """Execute one command; see ``EngineClient``."""
        match command:
            case ListHooks():
                return {"hooks": [to_fields(view) for view in self.hooks.views()]}
            case ListDeadLetters():
                return {"dead_letters": [to_fields(view) for view in self.hooks.dead_letters(command.limit)]}
            case RetryDeadLetters():
                return {"retried": self.hooks.retry(command.letter_id)}
        return await super().command(command)
