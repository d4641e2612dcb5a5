"""Speech of espeak-ng and flite together with the number of syllables that they really spoke.

Truth is what the synthesizer says it pronounced, not the spelling. Mandarin is ``cmn-latn-pinyin``: the voice
``cmn`` of espeak-ng 1.51 (Debian 12) reads most characters as the letters and the number of their pinyin, in
English (您 becomes "nin two", espeak-ng issue 1028), so that its syllables are not the characters.
"""

import ctypes
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.dsp import signals
from tests.dsp.signals import Signal

CHINESE = ("cmn", "yue")
VOWELS = frozenset("aeiouyøœɐɑɒɔəɚɛɜɝɞɘɤɨɪɯɵʉʊʌʏæɶᵻᵿ\u0329")
FLITE_VOWELS = frozenset(
    "aa ae ah ao aw ax axr ay eh er ey ih ix iy ow oy uh uw ux el em en".split()  # noqa: SIM905
)
SYNCHRONOUS, DONT_EXIT, RATE, UTF8 = 2, 0x8000, 1, 1
IPA = ord("_") << 8 | 2
"""Phonemes as IPA with a low line between them (espeak-ng/speak_lib.h)."""


class Espeak:
    """The library of espeak-ng: sounds and phonemes without a process for each."""

    def __init__(self) -> None:
        self.library: Any = ctypes.CDLL("libespeak-ng.so.1")
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.sample_rate_hz: int = self.library.espeak_Initialize(SYNCHRONOUS, 0, None, DONT_EXIT)
        self.made: list[signals.Samples] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = kind(self._take)
        self.library.espeak_SetSynthCallback(self.callback)

    def _take(self, wave: Any, count: int, _events: Any) -> int:
        if count > 0:
            self.made.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    def _voice(self, voice: str) -> None:
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")

    def phonemes(self, text: str, voice: str) -> str:
        """Return IPA, clauses apart by line ends."""
        self._voice(voice)
        rest, clauses = ctypes.c_char_p(text.encode()), []
        while rest.value:
            clauses.append(self.library.espeak_TextToPhonemes(ctypes.byref(rest), UTF8, IPA).decode())
        return "\n".join(clauses)

    def sound(self, text: str, voice: str, words_per_minute: int) -> Signal:
        """Return the speech at 8 kHz."""
        self._voice(voice)
        self.library.espeak_SetParameter(RATE, words_per_minute, 0)
        self.made.clear()
        said = text.encode()
        self.library.espeak_Synth(said, len(said) + 1, 0, 1, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        samples = np.concatenate([np.zeros(0, np.int16), *self.made])
        return signals.resample(signals.from_int16(samples), self.sample_rate_hz, 8000)


@cache
def espeak() -> Espeak:
    return Espeak()


def nuclei(phonemes: str) -> int:
    """Syllables in IPA: phonemes with a vowel or a syllabic consonant."""
    spoken = re.sub(r"\([^)]*\)", "_", phonemes)  # where it changes the language
    return sum(bool(VOWELS & set(phoneme)) for phoneme in re.split(r"[_\s]+", spoken))


def syllables(text: str, voice: str) -> int:
    """Syllables of a text as espeak-ng speaks it; of Chinese the characters."""
    if voice.startswith(CHINESE):
        return sum("一" <= sign <= "鿿" for sign in text)
    return nuclei(espeak().phonemes(text, voice))


def said(text: str, voice: str, words_per_minute: int) -> tuple[Signal, int]:
    """Return speech of espeak-ng at 8 kHz and its syllables."""
    return espeak().sound(text, voice, words_per_minute), syllables(text, voice)


def said_by_flite(text: str, voice: str, stretch: float = 1.0) -> tuple[Signal, int]:
    """Return speech of flite at 8 kHz, ``stretch`` times as long as usual, and its syllables."""
    line = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:g}", "-ps", "-t", text]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        done = subprocess.run([*line, "-o", str(path)], capture_output=True, text=True, check=True)
        return signals.load(path), sum(phone in FLITE_VOWELS for phone in done.stdout.split())
