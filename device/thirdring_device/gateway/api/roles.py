"""Who may do what: the one table of every endpoint and the least role that may use it.

Each role may do what the roles before it may. What stands under a guarded path and not in the table is for
the technician alone, so that a route that was forgotten here is closed rather than open.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

__all__ = [
    "ACCESS",
    "GUARDED",
    "METRICS",
    "ROLES",
    "UPLOAD",
    "Need",
    "Role",
    "endpoint_of",
    "is_guarded",
    "may",
    "methods_at",
    "needed",
]

Role = Literal["agent", "lead", "technician"]
ROLES: Final[tuple[Role, ...]] = ("agent", "lead", "technician")

UPLOAD: Final = "PUT /v1/unit/update/bundle"
"""The one request whose body is not read as a whole before it is served: a bundle of some 200 MB."""

Need = Literal["public", "signed in", "agent", "lead", "technician"]
"""``signed in``: any role, and also who must change a first password before anything else."""

GUARDED: Final = ("/v1", "/metrics")
METRICS: Final = "GET /metrics"
"""With ``gateway.metrics = "loopback"`` it is read without a token from the machine itself."""

ACCESS: Final[Mapping[str, Need]] = {
    "GET /healthz": "public",
    "GET /readyz": "public",
    METRICS: "agent",
    "POST /v1/session": "public",
    "GET /v1/session": "signed in",
    "DELETE /v1/session": "signed in",
    "PUT /v1/session/password": "signed in",
    "GET /v1/accounts": "technician",
    "PUT /v1/accounts/{role}/password": "technician",
    "GET /v1/tokens": "technician",
    "POST /v1/tokens": "technician",
    "DELETE /v1/tokens/{token_id}": "technician",
    "GET /v1/state": "agent",
    "POST /v1/dial": "agent",
    "POST /v1/answer": "agent",
    "POST /v1/hangup": "agent",
    "POST /v1/dtmf": "agent",
    "POST /v1/calls/{call_id}/answer": "agent",
    "POST /v1/calls/{call_id}/hangup": "agent",
    "POST /v1/agent": "agent",
    "POST /v1/speak": "technician",
    "GET /v1/settings": "agent",
    "PATCH /v1/settings": "technician",
    "GET /v1/settings/backup": "technician",
    "POST /v1/settings/compare": "technician",
    "GET /v1/unit": "technician",
    "GET /v1/unit/update": "technician",
    "POST /v1/unit/update": "technician",
    UPLOAD: "technician",
    "POST /v1/selftest": "technician",
    "GET /v1/support": "technician",
    "POST /v1/factory-reset": "technician",
    "GET /v1/logs": "technician",
    "GET /v1/transcript": "technician",
    "POST /v1/hold": "agent",
    "POST /v1/resume": "agent",
    "POST /v1/swap": "agent",
    "POST /v1/transfer": "agent",
    "POST /v1/conference": "agent",
    "POST /v1/redial": "agent",
    "POST /v1/forward": "agent",
    "POST /v1/mute": "agent",
    "POST /v1/unmute": "agent",
    "POST /v1/recording/pause": "agent",
    "POST /v1/recording/resume": "agent",
    "GET /v1/headset": "agent",
    "POST /v1/headset/press": "technician",
    "GET /v1/headset/test": "agent",
    "GET /v1/headset/devices": "technician",
    "POST /v1/headset/test": "agent",
    "POST /v1/trunk/test": "technician",
    "POST /v1/restart": "technician",
    "GET /v1/countries": "agent",
    "GET /v1/countries/{country}/holidays": "agent",
    "GET /v1/calls": "agent",
    "GET /v1/calls/{call_id}": "agent",
    "GET /v1/calls/{call_id}/norms": "agent",
    "GET /v1/calls/{call_id}/events": "agent",
    "GET /v1/calls/{call_id}/report": "agent",
    "GET /v1/calls/{call_id}/recording": "lead",
    "GET /v1/recordings": "lead",
    "GET /v1/events": "agent",
    "WEBSOCKET /v1/events": "agent",
    "GET /v1/figures": "agent",
    "GET /v1/staffing": "lead",
    "GET /v1/forecast": "lead",
    "GET /v1/prompts": "agent",
    "GET /v1/notes": "agent",
    "POST /v1/notes": "agent",
    "GET /v1/contacts": "agent",
    "POST /v1/contacts": "agent",
    "POST /v1/contacts/remove": "lead",
    "GET /v1/contacts.csv": "lead",
    "POST /v1/contacts.csv": "lead",
    "GET /v1/call_backs": "agent",
    "POST /v1/call_backs/done": "agent",
    "GET /v1/hooks": "technician",
    "GET /v1/hooks/dead": "technician",
    "POST /v1/hooks/retry": "technician",
}
"""Method and path as the route declares it."""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", path)))


_PATTERNS: Final = tuple(
    (key, key.partition(" ")[0], _pattern(key.partition(" ")[2])) for key in ACCESS if "{" in key
)


def is_guarded(path: str) -> bool:
    """Return whether nobody is served there without being known."""
    return path.startswith(GUARDED)


def needed(method: str, path: str) -> Need:
    """Return who may ask; ``method`` is ``WEBSOCKET`` for a handshake, ``path`` as it was asked for."""
    need: Need | None = ACCESS.get(endpoint_of(method, path))
    return need or ("technician" if is_guarded(path) else "public")


def endpoint_of(method: str, path: str) -> str:
    """Return the key of ``ACCESS`` that a request is for, empty when there is none."""
    exact = f"{method} {path}"
    if exact in ACCESS:
        return exact
    for key, known, pattern in _PATTERNS:
        if method == known and pattern.fullmatch(path):
            return key
    return ""


def methods_at(path: str) -> list[str]:
    """Return the methods that the table has for a path, in order."""
    methods = {key.partition(" ")[0] for key in ACCESS} - {"WEBSOCKET"}
    return sorted(method for method in methods if endpoint_of(method, path))


def may(role: Role, need: Need) -> bool:
    """Return whether ``role`` suffices."""
    return need in ("public", "signed in") or ROLES.index(role) >= ROLES.index(need)
