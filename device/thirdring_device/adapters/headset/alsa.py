"""A sound device through libasound, one direction at a time; every call leaves the interpreter to the others.

Through ctypes: opening a device may take long, and the sound thread needs the interpreter every 20 ms.
"""

import ctypes
import errno
import functools
import os
from typing import Any, Final, Literal

__all__ = ["AlsaError", "Pcm", "alsa_version"]

Direction = Literal["playback", "capture"]

LIBRARY: Final = "libasound.so.2"
STREAMS: Final = {"playback": 0, "capture": 1}
"""``snd_pcm_stream_t``"""
FORMAT_S16_LE: Final = 2
ACCESS_RW_INTERLEAVED: Final = 3
MOST_LATE: Final = 20
"""Overruns in a row without a sample between. Each takes a late reader the length of the buffer; the pulse
plugin tells of a device that is gone by nothing else, for ever and without waiting."""
ERROR_HANDLER: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


class AlsaError(OSError):
    """What libasound says of a device; ``errno`` is its number, the text names the device."""

    def __str__(self) -> str:
        return str(self.strerror)


_say_nothing: Final = ERROR_HANDLER(lambda *_: None)
"""Every failure is told by its number; libasound would write it to standard error, too."""


@functools.cache
def _library() -> Any:
    """Load libasound once; raises ``AlsaError`` when it is not here."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as reason:
        raise AlsaError(errno.ENOENT, f"{LIBRARY} is not installed: {reason}") from None
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    unsigned = ctypes.c_uint
    for name, result, arguments in (
        ("snd_pcm_open", number, (pointer, text, number, number)),
        ("snd_pcm_set_params", number, (pointer, number, number, unsigned, unsigned, number, unsigned)),
        ("snd_pcm_readi", ctypes.c_long, (pointer, pointer, ctypes.c_ulong)),
        ("snd_pcm_writei", ctypes.c_long, (pointer, pointer, ctypes.c_ulong)),
        ("snd_pcm_prepare", number, (pointer,)),
        ("snd_pcm_start", number, (pointer,)),
        ("snd_pcm_drop", number, (pointer,)),
        ("snd_pcm_close", number, (pointer,)),
        ("snd_strerror", text, (number,)),
        ("snd_asoundlib_version", text, ()),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.snd_lib_error_set_handler(_say_nothing)
    return library


def alsa_version() -> str:
    """Return libasound's version; raises ``AlsaError`` when it is not here."""
    return str(_library().snd_asoundlib_version().decode())


class Pcm:
    """A device opened in one direction: 16 bit, mono; libasound converts where the device is otherwise.

    Belongs to one thread.
    """

    def __init__(self, name: str, direction: Direction, rate_hz: int, buffer_ms: int) -> None:
        """Open the device by its ALSA name; raises ``AlsaError``."""
        self._alsa = _library()
        self._name = f"{name} ({direction})"
        self._direction = direction
        self._handle = ctypes.c_void_p()
        self._late = 0
        self._check(
            self._alsa.snd_pcm_open(ctypes.byref(self._handle), os.fsencode(name), STREAMS[direction], 0)
        )
        try:
            self._check(
                self._alsa.snd_pcm_set_params(
                    self._handle, FORMAT_S16_LE, ACCESS_RW_INTERLEAVED, 1, rate_hz, 1, buffer_ms * 1000
                )
            )
            self._begin()
        except AlsaError:
            self.close()
            raise

    @property
    def device(self) -> int:
        """The address of its ``snd_pcm_t``."""
        return self._handle.value or 0

    @property
    def move(self) -> int:
        """The address of the function that reads from it or writes to it, and blocks meanwhile."""
        name = "snd_pcm_readi" if self._direction == "capture" else "snd_pcm_writei"
        return ctypes.cast(getattr(self._alsa, name), ctypes.c_void_p).value or 0

    def recover(self, result: int, *, moved: bool) -> None:
        """Go on after ``move`` has returned ``result``, below 0; ``moved``: not at once.

        Raises ``AlsaError`` when the device is gone.
        """
        if moved:
            self._late = 0
        if result == -errno.EPIPE and self._late < MOST_LATE:
            self._late += 1
            self._check(self._alsa.snd_pcm_prepare(self._handle))
            self._begin()
            return
        self._check(result)

    def close(self) -> None:
        """Close the device at once; what was not played yet is lost."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        if handle:
            self._alsa.snd_pcm_drop(handle)
            self._alsa.snd_pcm_close(handle)

    def _begin(self) -> None:
        """Let a microphone run; an ear runs when its buffer is full.

        A read begins by itself only when it asks for a whole buffer (``snd_pcm_set_params`` says so); one
        that asks for less is refused with EIO by a device's own driver.
        """
        if self._direction == "capture":
            self._check(self._alsa.snd_pcm_start(self._handle))

    def _check(self, result: int) -> None:
        if result < 0:
            words = self._alsa.snd_strerror(result).decode(errors="replace")
            raise AlsaError(-result, f"{self._name}: {words}")
