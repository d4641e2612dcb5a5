"""Prompts help, they do not nag: one at a time, not too often (norms.md, verdicts and live actions)."""

from thirdring.protocol.events import Event, Prompt
from thirdring_device.core.norms.settings import PromptSettings

__all__ = ["PromptLimit"]


class PromptLimit:
    """Lets a call's prompts through or holds them back; urgent ones and openers always pass."""

    def __init__(self, settings: PromptSettings) -> None:
        self._settings = settings
        self._last_at_s: float | None = None
        self._shown_at_s: dict[str, float] = {}

    def shown(self, announced: list[Event]) -> list[Event]:
        """Return ``announced`` without the prompts that would be too many."""
        return [event for event in announced if not isinstance(event, Prompt) or self.allows(event)]

    def allows(self, prompt: Prompt) -> bool:
        """Whether the agent is shown ``prompt``; one that is allowed counts as shown."""
        if prompt.urgency != "urgent" and prompt.rule:
            if self._settings.quiet or self._too_soon(prompt):
                return False
            self._last_at_s = prompt.at_s
        self._shown_at_s[prompt.key] = prompt.at_s
        return True

    def _too_soon(self, prompt: Prompt) -> bool:
        shown_at_s = self._shown_at_s.get(prompt.key)
        if shown_at_s is not None and prompt.at_s - shown_at_s < self._settings.repeat_s:
            return True
        return self._last_at_s is not None and prompt.at_s - self._last_at_s < self._settings.gap_s
