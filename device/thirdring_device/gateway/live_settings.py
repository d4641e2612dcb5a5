"""The settings as they count now: those of the start, and the live ones that were changed since."""

from typing import Final

from thirdring.protocol.events import Record, SettingsChanged
from thirdring_device.settings import Settings, changed, setting_views

__all__ = ["LIVE", "LiveSettings"]

LIVE: Final = frozenset(view.name for view in setting_views(Settings()) if view.live)


class LiveSettings:
    """Follows the events."""

    def __init__(self, settings: Settings) -> None:
        self.now = settings

    def note(self, record: Record) -> None:
        """Take in an event."""
        if isinstance(record.event, SettingsChanged):
            ours = {name: value for name, value in record.event.changes.items() if name in LIVE}
            self.now = changed(self.now, ours)
