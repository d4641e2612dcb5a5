"""The numbered errors and the tree of exceptions they are raised as.

    ThirdringError
    +-- RequestError     1000-1999  what was asked is malformed or names what is not there
    +-- CallError        2000-2999  the call cannot do that now
    +-- TrunkError       3000-3999  the SIP trunk
    +-- MediaError       4000-4999  sound, recordings, the headset
    +-- StorageError     5000-5999  journal, settings, disk
    +-- AccessError      6000-6999  who may do what
    +-- ApplianceError   7000-7999  the appliance itself
    +-- ConnectionLost   8000-8999  between host and appliance; raised by the SDK
    +-- WaitTimeout      9000-9999  an event that was waited for did not come; raised by the SDK

A code never changes its meaning and is never used again for another one. HTTP statuses and AT result
codes are assigned at the edge only (``gateway/api/error_map.py``, ``gateway/at/error_map.py``).
"""

from collections.abc import Mapping
from typing import Final

__all__ = [
    "ERRORS",
    "AccessError",
    "ApplianceError",
    "CallError",
    "ConnectionLost",
    "MediaError",
    "RequestError",
    "StorageError",
    "ThirdringError",
    "TrunkError",
    "WaitTimeout",
    "error",
]

ERRORS: Final[Mapping[int, str]] = {
    1000: "the request is not valid JSON",
    1001: "a field is missing or has the wrong type",
    1002: "there is no such command",
    1003: "there is no such resource",
    1004: "a value is outside its bounds",
    1005: "there is no such setting",
    1006: "the line is too long",
    1007: "the request is too large",
    1008: "it was changed meanwhile: read it again",
    1009: "the idempotency key was used for another request",
    1010: "this is not the serial number of the unit",
    2000: "there is no such call",
    2001: "no call is ringing",
    2002: "no call is up",
    2003: "the desk is busy with another call",
    2004: "the call is in a state that does not allow this",
    2005: "this is not a number that can be dialled",
    2006: "these are not DTMF digits",
    2007: "there is no second call",
    2008: "no number has been dialled yet",
    2009: "the dial plan does not allow this number",
    2010: "the dial plan allows no number of another country",
    2011: "the dial plan allows no premium-rate number",
    2012: "there were too many calls within the hour",
    2013: "the hour or the day does not suit the other side: give a reason to call anyway",
    2014: "the call is not prepared: give a reason, or save the contact",
    2020: "the call is not being recorded",
    3000: "the trunk is not set up for outgoing calls",
    3001: "the trunk is not registered",
    3002: "the trunk refused the user name or password",
    3003: "the trunk does not answer",
    3004: "the SIP port cannot be opened",
    3005: "the SIP stack's TLS gets no security fixes and is not used",
    3006: "a certificate or key file of the trunk cannot be used",
    3007: "the trunk forbids this user",
    3008: "the trunk does not know this user",
    3009: "the trunk's name is not found",
    3010: "the trunk's certificate was not accepted",
    3011: "nothing that speaks so listens at this port of the trunk",
    3012: "the trunk refuses the registration or is out of service",
    3013: "a trunk is being tried already",
    3014: "the trunk asks for the password of another realm",
    3015: "the trunk asks for a kind of digest that the SIP stack does not know",
    4000: "this is not a sound file that can be read",
    4001: "the headset is not there",
    4002: "this board has no simulated headset",
    4003: "the recording has no samples",
    4010: "the headset's buttons may not be opened",
    4011: "the headset's buttons are not understood",
    4020: "the recording is encrypted and its key is not there",
    4021: "the recording is encrypted with another key",
    4022: "the recording is damaged or was changed",
    4023: "the recording is cut short: its end is missing",
    4024: "there is no recording of this call",
    4025: "the call is still being recorded",
    4026: "the announcement of recordings cannot be played",
    4027: "the recording has no such part",
    5000: "the journal cannot be written: the disk is full",
    5001: "the journal is not one of ours or is damaged",
    5002: "the journal was written by a newer version",
    5003: "the settings file cannot be read",
    5004: "a setting is unknown",
    5005: "a setting is outside its bounds or has the wrong type",
    5006: "the state folder cannot be written",
    5007: "another engine is using the state folder",
    5008: "the file cannot be written",
    5009: "a prompt catalogue is wrong",
    5010: "this is not a backup of settings",
    5020: "the disk has no room left for recordings",
    6000: "the token is missing or unknown",
    6001: "this host or origin is not allowed",
    6002: "the role does not allow this",
    6003: "the role or the password is wrong",
    6004: "the first password must be changed before anything else",
    6005: "too many wrong passwords",
    6006: "the session's CSRF token is missing or wrong",
    6010: "the secret of the web hooks cannot be used",
    6011: "the web hook was not signed by the appliance, or long ago",
    6020: "the console is locked",
    6021: "the console's password is wrong",
    6022: "there were too many wrong passwords: wait",
    6023: "no password of the console is set",
    6024: "a console's password has 8 to 64 characters",
    7000: "the engine is not running",
    7001: "the engine did not answer in time",
    7002: "an internal error",
    7003: "too many requests",
    7004: "the client reads too slowly",
    7005: "the board is unknown",
    7006: "the TCP port cannot be opened",
    7007: "the certificate or the key of the HTTP server cannot be used",
    7020: "the address of a web hook is not allowed",
    7021: "the server of a web hook cannot be reached",
    7022: "the server of a web hook refuses the event",
    7030: "this board cannot update itself",
    7031: "an update is under way already",
    7032: "the update is not signed by anybody this unit believes",
    7033: "the update is for another board",
    7034: "the update is damaged",
    7035: "there is no room for the update",
    7036: "the update is older than what runs",
    7037: "a call is up: ask for the update to wait for its end",
    7038: "the update cannot be fetched",
    7039: "the update could not be installed",
    7040: "the new version was not well: the unit went back to the one before",
    8000: "the appliance cannot be reached",
    8001: "the appliance did not answer in time",
    8002: "the appliance's answer was not understood",
    8003: "this way to the appliance does not carry sound files",
    9000: "what was waited for did not happen in time",
}


class ThirdringError(Exception):
    """Root of everything the SDK and the appliance raise on purpose.

    ``code`` is the number, ``detail`` what was wrong this time (may be empty).
    """

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        text = ERRORS.get(code, "unknown error")
        super().__init__(f"{code}: {text}" + (f" ({detail})" if detail else ""))


class RequestError(ThirdringError):
    """1000-1999: the request itself is wrong."""


class CallError(ThirdringError):
    """2000-2999: the call cannot do that now."""


class TrunkError(ThirdringError):
    """3000-3999: the SIP trunk."""


class MediaError(ThirdringError):
    """4000-4999: sound, recordings, headset."""


class StorageError(ThirdringError):
    """5000-5999: journal, settings, disk."""


class AccessError(ThirdringError):
    """6000-6999: who may do what."""


class ApplianceError(ThirdringError):
    """7000-7999: the appliance itself."""


class ConnectionLost(ThirdringError):  # noqa: N818 - the name says what happened
    """8000-8999: between host and appliance."""


class WaitTimeout(ThirdringError, TimeoutError):  # noqa: N818 - the name says what happened
    """9000-9999: what was waited for did not happen; the appliance itself is well."""


_FAMILIES: Final = {
    1: RequestError,
    2: CallError,
    3: TrunkError,
    4: MediaError,
    5: StorageError,
    6: AccessError,
    7: ApplianceError,
    8: ConnectionLost,
    9: WaitTimeout,
}


def error(code: int, detail: str = "") -> ThirdringError:
    """Return the exception of the right family for ``code``, ready to be raised."""
    return _FAMILIES.get(code // 1000, ThirdringError)(code, detail)
