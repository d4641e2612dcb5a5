"""Speech and music in which nothing must be heard, by who made the sound and where it comes from.

All of it is installed by Debian's packages or made by espeak-ng; nothing is committed. Prompts that are
tones or silence on purpose are left out.
"""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from tests.dsp import signals
from tests.dsp.signals import Samples, Signal

from thirdring_dsp.tone_plans import countries

NOT_SPEECH = ("beep", "ascending-", "descending-", "tt-monkeys")
GAP_S = 0.3
HUMAN, SYNTHETIC, MUSIC = "human", "synthetic", "music"
FIVE = ("en", "es", "fr", "it", "ru")
PROMPTS, LETTERS, SYLLABLES = "prompts", "letters and syllables", "syllables and words"
SENTENCES, ON_HOLD = "sentences and numbers", "music on hold"
# Whose calls are in a language: the plans that a detector would run with.
PLANS = {
    "en": ("US", "GB"),
    "es": ("ES", "MX"),
    "fr": ("FR", "CA"),
    "it": ("IT",),
    "ru": ("RU",),
    "zh": ("CN", "TW", "SG"),
    "yue": ("HK", "MO"),
    "music": tuple(countries()),
}
# Languages of klettres-data beside the five; the CN plan is run on all of them.
OTHERS = {
    "cs": ("CZ",),
    "da": ("DK",),
    "de": ("DE", "AT"),
    "he": ("IL",),
    "hu": ("HU",),
    "lt": ("LT",),
    "ml": ("IN",),
    "nb": ("NO",),
    "nl": ("NL",),
    "pt_BR": ("BR",),
    "tn": ("ZA",),
    "uk": ("RU",),
    "ar": ("AE", "SA"),
    "nds": ("DE",),
}
CHINESE_TEXT = signals.MANDARIN
TEXTS = {
    "en": signals.ENGLISH,
    "es": "Buenos días, le atiende el servicio al cliente. ¿En qué puedo ayudarle? Su número de pedido es",
    "fr": "Bonjour, vous êtes bien au service clientèle. Que puis-je faire pour vous ? Votre numéro est le",
    "it": "Buongiorno, qui è il servizio clienti. Come posso aiutarla? Il numero del suo ordine è",
    "ru": "Здравствуйте, вы позвонили в службу поддержки. Чем я могу вам помочь? Номер вашего заказа",
    "cmn": CHINESE_TEXT,
    "yue": CHINESE_TEXT,
}
VOICES = ("m3", "f2")
WORDS_PER_MINUTE = (130, 175, 220)


class Voice(NamedTuple):
    """Recordings of one speaker or package, to be heard one after another."""

    source: str
    kind: str
    """``human``, ``synthetic`` or ``music``."""
    sort: str
    """What is spoken: one of the constants above."""
    language: str
    plans: tuple[str, ...]
    """Countries whose tones callers in this language would hear, CN among them."""
    files: tuple[Path, ...]

    def samples(self) -> tuple[Samples, float]:
        """All of it at 8 kHz with 0.3 s after every file, and the minutes without these pauses."""
        parts = [read(path) for path in self.files]
        gap = signals.silence(GAP_S)
        whole = np.concatenate([part for sound in parts for part in (sound, gap)])
        return signals.to_int16(whole), sum(part.size for part in parts) / 8000 / 60


def read(path: Path) -> Signal:
    if path.suffix != ".gsm":
        return signals.load(path)
    raw = {"format": "RAW", "subtype": "GSM610", "samplerate": 8000, "channels": 1}
    data, _ = soundfile.read(path, dtype="float64", **raw)
    return np.asarray(data)


def installed(package: str) -> tuple[Path, ...]:
    """Return the sound files of a Debian package, none when it is not installed."""
    done = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True)
    paths = (Path(line) for line in done.stdout.splitlines())
    return tuple(
        sorted(
            path
            for path in paths
            if path.suffix in (".wav", ".gsm", ".ogg")
            and not path.name.startswith(NOT_SPEECH)
            and "silence" not in path.parts
        )
    )


def plans_of(language: str) -> tuple[str, ...]:
    own = (PLANS | OTHERS).get(language.removesuffix("_GB"), ())
    return tuple(dict.fromkeys(("CN", *own)))


def voice(source: str, kind: str, sort: str, language: str, files: Iterable[Path]) -> Voice:
    return Voice(source, kind, sort, language, plans_of(language), tuple(files))


def prompts() -> Iterator[Voice]:
    packages = {f"asterisk-core-sounds-{language}-wav": language for language in FIVE}
    packages |= {"asterisk-prompt-es-co": "es", "asterisk-prompt-fr-armelle": "fr"}
    packages |= {"asterisk-prompt-it-menardi-wav": "it"}
    for package, language in packages.items():
        yield voice(package, HUMAN, PROMPTS, language, installed(package))
    book = [path for path in installed("pocketsphinx-testdata") if path.suffix == ".wav"]
    yield voice("pocketsphinx-testdata", HUMAN, PROMPTS, "en", book)


def letters() -> Iterator[Voice]:
    """Single vowels and syllables, drawn out: the speech that is most like a tone."""
    files = installed("klettres-data")
    for language in sorted({path.parts[4] for path in files}):
        chosen = [path for path in files if path.parts[4] == language]
        yield voice("klettres-data", HUMAN, LETTERS, language.removesuffix("_GB"), chosen)


def mandarin() -> Iterator[Voice]:
    files = installed("gcin-voice")
    for name in sorted({path.name for path in files}):
        chosen = [path for path in files if path.name == name]
        yield voice(f"gcin-voice speaker {Path(name).stem}", HUMAN, SYLLABLES, "zh", chosen)
    if signals.MANDARIN_WORDS.is_dir():
        chosen = sorted(signals.MANDARIN_WORDS.glob("*.mp3"))
        yield voice("recorded Mandarin words", HUMAN, SYLLABLES, "zh", chosen)


def spoken() -> Iterator[Voice]:
    """The same text and numbers that differ, in three tempos by two voices a language."""
    for name, text in TEXTS.items():
        rng = np.random.default_rng(11)
        for variant in VOICES:
            files = []
            for pace in WORDS_PER_MINUTE:
                numbers = ", ".join(str(number) for number in rng.integers(0, 10**6, 12))
                files.append(signals.espeak(f"{text} {numbers}.", f"{name}+{variant}", pace))
            language = "zh" if name == "cmn" else name
            yield voice(f"espeak-ng {name}", SYNTHETIC, SENTENCES, language, files)


def music() -> Iterator[Voice]:
    yield voice("asterisk-moh-opsound-wav", MUSIC, ON_HOLD, "music", installed("asterisk-moh-opsound-wav"))


def voices() -> Iterator[Voice]:
    """Everything that is installed."""
    for group in (prompts, letters, mandarin, spoken, music):
        yield from (found for found in group() if found.files)
