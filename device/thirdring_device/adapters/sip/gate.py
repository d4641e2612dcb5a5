"""The gate in front of the SIP stack: which INVITEs reach it at all. On the SIP thread.

pjsua gives an INVITE a call slot, a dialog and two sockets before the application is asked about it, and the
wheel's stack aborts the process when its 64 sockets are in use. So a module of ours stands before pjsua's own
(pjsip's module priorities) and answers what is refused without keeping any state (RFC 3261 clause 8.2.7).
pjsua2 has no interface for that: the C functions of the stack are called where its library exports them.
"""

import ctypes
import logging
import re
import traceback
from collections.abc import Callable
from typing import Any, Final

import pjsua2 as pj

from thirdring.protocol.errors import error

__all__ = ["SERVICE_UNAVAILABLE", "Gate"]

log = logging.getLogger(__name__)

PRIORITY: Final = 40
"""Behind the dialogs (32), which take what belongs to a call; before the calls (48) and pjsua (64)."""

INVITE: Final = re.compile(rb"^Request msg INVITE/")
SERVICE_UNAVAILABLE: Final = 503
RETRY_AFTER_S: Final = 2
ANSWERED: Final = 1
PASSED_ON: Final = 0

_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Text(ctypes.Structure):
    """``pj_str_t``."""

    _fields_ = (("text", ctypes.c_void_p), ("length", ctypes.c_ssize_t))


class _Links(ctypes.Structure):
    """The beginning of every list element, ``PJ_DECL_LIST_MEMBER``."""

    _fields_ = (("before", ctypes.c_void_p), ("behind", ctypes.c_void_p))


class _Module(ctypes.Structure):
    """``pjsip_module``."""

    _fields_ = (
        ("links", _Links),
        ("name", _Text),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("load", ctypes.c_void_p),
        ("start", ctypes.c_void_p),
        ("stop", ctypes.c_void_p),
        ("unload", ctypes.c_void_p),
        ("on_rx_request", _Handler),
        ("on_rx_response", ctypes.c_void_p),
        ("on_tx_request", ctypes.c_void_p),
        ("on_tx_response", ctypes.c_void_p),
        ("on_tsx_state", ctypes.c_void_p),
    )


class _ResponseAddress(ctypes.Structure):
    """``pjsip_response_addr``."""

    _fields_ = (
        ("transport", ctypes.c_void_p),
        ("address", ctypes.c_uint32 * 7),  # struct sockaddr_in6
        ("address_length", ctypes.c_int),
        ("flag", ctypes.c_uint),
        ("type", ctypes.c_int),
        ("host", _Text),
        ("port", ctypes.c_int),
    )


_POINTER: Final = ctypes.c_void_p
_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "pjsip_rx_data_get_info": (ctypes.c_char_p, (_POINTER,)),
    "pjsip_get_response_addr": (ctypes.c_int, (_POINTER, _POINTER, _POINTER)),
    "pjsip_endpt_respond_stateless": (
        ctypes.c_int,
        (_POINTER, _POINTER, ctypes.c_int, _POINTER, _POINTER, _POINTER),
    ),
    "pjsip_endpt_register_module": (ctypes.c_int, (_POINTER, _POINTER)),
    "pjsip_retry_after_hdr_create": (_POINTER, (_POINTER, ctypes.c_int)),
    "pjsua_get_pjsip_endpt": (_POINTER, ()),
    "pjsua_pool_create": (_POINTER, (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t)),
}
"""Name: what it returns, what it takes."""


class Gate:
    """Asks ``judge(source address)`` about every INVITE that begins a call, before pjsua sees it.

    ``judge`` returns the status to answer with, 503 with a Retry-After, or 0 to let the INVITE in. To be made
    after ``libInit`` and kept until the stack is destroyed: it has a pointer to the gate.
    """

    def __init__(self, judge: Callable[[str], int]) -> None:
        """Raise ``TrunkError`` 3004 when the stack does not export what is needed."""
        self._judge = judge
        self._stack = _stack()
        self._endpoint = self._stack["pjsua_get_pjsip_endpt"]()
        self._headers = _Links()
        pool = self._stack["pjsua_pool_create"](b"thirdring-gate", 512, 512)
        header = self._stack["pjsip_retry_after_hdr_create"](pool, RETRY_AFTER_S)
        links, head = _Links.from_address(header), ctypes.addressof(self._headers)
        links.before = links.behind = head
        self._headers.before = self._headers.behind = header
        self._name = ctypes.create_string_buffer(b"mod-thirdring-gate")
        self._module = _Module(
            name=_Text(ctypes.addressof(self._name), len(self._name.value)),
            id=-1,
            priority=PRIORITY,
            on_rx_request=_Handler(self._request),
        )
        status = self._stack["pjsip_endpt_register_module"](self._endpoint, ctypes.addressof(self._module))
        if status != 0:
            raise error(3004, f"the SIP stack takes no module: status {status}")

    def _request(self, received: int) -> int:
        """Answer or pass on; ``received`` is the address of a ``pjsip_rx_data``."""
        try:
            if INVITE.match(self._stack["pjsip_rx_data_get_info"](received)) is None:
                return PASSED_ON
            verdict = self._judge(self._source(received))
        except Exception:
            log.error("an INVITE is let in unasked:\n%s", traceback.format_exc().rstrip())
            return PASSED_ON
        if verdict == 0:
            return PASSED_ON
        headers = ctypes.addressof(self._headers) if verdict == SERVICE_UNAVAILABLE else None
        self._stack["pjsip_endpt_respond_stateless"](self._endpoint, received, verdict, None, headers, None)
        return ANSWERED

    def _source(self, received: int) -> str:
        """Return the address that the answer goes to: what the topmost Via's ``received`` says."""
        found = _ResponseAddress()
        pool = ctypes.c_void_p.from_address(received).value  # the first member; freed with the message
        status = self._stack["pjsip_get_response_addr"](pool, received, ctypes.addressof(found))
        if status != 0 or not found.host.text:
            return ""
        return ctypes.string_at(found.host.text, found.host.length).decode("ascii", "replace").strip("[]")


def _stack() -> dict[str, Any]:
    """Return the stack's functions by name."""
    library = ctypes.CDLL(pj._pjsua2.__file__)
    functions = {}
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name, None)
        if function is None:
            raise error(3004, f"the SIP stack does not export {name}")
        function.restype, function.argtypes = result, arguments
        functions[name] = function
    return functions
