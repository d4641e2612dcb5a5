"""Utterances whose syllables are known, for the training of ``SyllableRateMeter``.

The conformance run counts in what is left out here: the default voices of espeak-ng and its variants m3, m7,
f2 and f5, its speeds between those below, the voice awb of flite, every second recorded Mandarin word and
syllable, the English prompts with an odd place in the package, and the readers of pocketsphinx-testdata.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import resample_poly
from tests.dsp import signals
from tests.dsp.signals import Signal
from tests.dsp.spoken import said, said_by_flite, syllables

from bench.conformance import material
from bench.conformance.pace import COUNTED

VARIANTS = ("m1", "m2", "m4", "m5", "m6", "m8", "f1", "f3", "f4", "Andy", "linda", "Annie", "Alex", "belinda")
SPEEDS_WPM = (80, 95, 125, 150, 180, 195, 240, 290, 320, 380)
FLITE = ("kal16", "slt", "rms")
VOICES = {
    "en": ("en-us", "en-gb-x-rp", "en-gb-scotland"),
    "es": ("es", "es-419"),
    "fr": ("fr",),
    "it": ("it",),
    "ru": ("ru",),
}
# Frequent characters; which of its readings one gets does not change the number of syllables.
CHARACTERS = (
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发"
    "当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长回位分爱老因很给名法间斯知世什两次使身者"
    "被高已亲其进此话常与活正感明问力理尔点文几定本公特做外孩相西果走将月十实向声车全信重三机工物气每并别真打太新比才便夫再书部水像"
    "眼等体却加电主界门利海受听表德少克代员许先口由死安写性马光白或住难望教命花结乐色"
)


class Utterance(NamedTuple):
    signal: Signal
    syllables: int


def trimmed(signal: Signal) -> Signal:
    """Without what is 30 dB below the loudest 20 ms at both ends."""
    power = np.convolve(signal**2, np.ones(160) / 160, "same")
    loud = np.flatnonzero(power > 1e-3 * power.max())
    return signal[loud[0] : loud[-1] + 1]


def at_speed(signal: Signal, tempo: float) -> Signal:
    """Faster or slower at the same pitch: pieces of 35 ms laid over each other where the waves match best."""
    piece, overlap, search = 280, 100, 120
    step = piece - overlap
    source = np.concatenate([signal, np.zeros(piece + search)])
    ramp = np.arange(overlap) / overlap
    made = np.zeros(int(signal.size / tempo) + 2 * piece)
    made[:piece] = source[:piece]
    at, k = step, 1
    while (wanted := int(k * step * tempo)) < signal.size:
        tail = made[at : at + overlap].copy()
        places = sliding_window_view(source[wanted : wanted + search + overlap], overlap)
        best = wanted + int(np.argmax(places @ tail / np.sqrt((places**2).sum(1) + 1e-9)))
        made[at : at + piece] = source[best : best + piece]
        made[at : at + overlap] = tail * (1 - ramp) + made[at : at + overlap] * ramp
        at, k = at + step, k + 1
    return made[: at + overlap]


def varied(utterance: Utterance, rng: np.random.Generator) -> Utterance:
    """At another tempo and with a higher or a lower voice; recordings of people."""
    shift = int(rng.integers(85, 116))
    sound = np.asarray(resample_poly(utterance.signal, 100, shift))
    return Utterance(
        at_speed(sound, float(np.exp(rng.uniform(-0.35, 0.8))) * 100 / shift), utterance.syllables
    )


def shifted(utterance: Utterance, rng: np.random.Generator) -> Utterance:
    """With a higher voice and faster, or a lower one and slower; synthetic speech."""
    shift = int(rng.integers(88, 113))
    return Utterance(np.asarray(resample_poly(utterance.signal, 100, shift)), utterance.syllables)


def transcripts(root: Path, language: str) -> dict[str, str]:
    """What each prompt says; those the conformance run counts in are left out."""
    text = root / f"usr/share/doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz"
    found = {}
    for line in gzip.decompress(text.read_bytes()).decode().splitlines():
        name, _, words = (part.strip() for part in line.partition(":"))
        if not line.startswith(";") and words and not set("[(") & set(words):
            found[name] = words
    return {name: words for name, words in found.items() if language != "en" or name not in COUNTED}


def prompts(root: Path, language: str) -> Iterator[Utterance]:
    """Prompts of one person with what they say."""
    files = {path.as_posix(): path for path in material.installed(f"asterisk-core-sounds-{language}-wav")}
    for name, words in transcripts(root, language).items():
        path = next((path for place, path in files.items() if place.endswith(f"/{name}.wav")), None)
        count = syllables(words, "en-us" if language == "en" else language) if path else 0
        if path and 0 < count < 40:
            sound = trimmed(material.read(path))
            if 1.5 < count / (sound.size / 8000) < 9:
                yield Utterance(sound, count)


def mandarin_words() -> Iterator[Utterance]:
    for name, sound in signals.mandarin_words()[::2]:
        yield Utterance(trimmed(sound), len(name))


def joined_syllables(rng: np.random.Generator, speaker: str, number: int) -> Iterator[Utterance]:
    """One to seven recorded Mandarin syllables of a speaker run together, each shortened as in speech."""
    files = material.installed("gcin-voice")
    paths = [path for path in files if path.stem == speaker][::2][:350]
    mine = [trimmed(material.read(path)) for path in paths]
    for _ in range(number):
        count = int(rng.integers(1, 8))
        tempo, overlap = float(rng.uniform(0.9, 2.6)), int(rng.integers(0, 400))
        chosen = [signals.at_rms(at_speed(mine[k], tempo), -26) for k in rng.integers(0, len(mine), count)]
        whole = chosen[0]
        for part in chosen[1:]:
            shared = min(overlap, part.size // 3, whole.size // 3)
            whole = np.concatenate([whole[: whole.size - shared], part])
        yield Utterance(whole, count)


def chinese(rng: np.random.Generator, voice: str, number: int) -> Iterator[Utterance]:
    for _ in range(number):
        text = "".join(rng.choice(list(CHARACTERS), int(rng.integers(2, 15))))
        sound, count = said(text, f"{voice}+{rng.choice(VARIANTS)}", int(rng.choice(SPEEDS_WPM)))
        yield shifted(Utterance(trimmed(sound), count), rng)


def synthetic(rng: np.random.Generator, root: Path, language: str, number: int) -> Iterator[Utterance]:
    """Pieces of the prompts' texts by espeak-ng and, English, by flite."""
    words = " ".join(transcripts(root, language).values()).split()
    for k in range(number):
        first = int(rng.integers(len(words) - 10))
        text = " ".join(words[first : first + int(rng.integers(1, 10))])
        if language == "en" and k % 3 == 0:
            sound, count = said_by_flite(text, str(rng.choice(FLITE)), float(rng.uniform(0.55, 1.5)))
        else:
            voice = f"{rng.choice(VOICES[language])}+{rng.choice(VARIANTS)}"
            sound, count = said(text, voice, int(rng.choice(SPEEDS_WPM)))
        if count and sound.size and np.abs(sound).max() > 0.01:
            yield shifted(Utterance(trimmed(sound), count), rng)


def groups(rng: np.random.Generator, root: Path) -> list[tuple[float, list[Utterance]]]:
    """Groups of like utterances with how often each is to be taken."""
    made = []
    for language in material.FIVE:
        made.append((0.12 if language == "en" else 0.07, list(prompts(root, language))))
    made.append((0.08, list(mandarin_words())))
    made += [(0.06, list(joined_syllables(rng, speaker, 400))) for speaker in ("3", "5")]
    made = [(often, some + [varied(one, rng) for one in some for _ in range(2)]) for often, some in made]
    made.append((0.12, list(chinese(rng, "cmn-latn-pinyin", 1200))))
    made.append((0.04, list(chinese(rng, "yue", 400))))
    made.append((0.16, list(synthetic(rng, root, "en", 1500))))
    made += [(0.02, list(synthetic(rng, root, language, 250))) for language in ("es", "fr", "it", "ru")]
    return [(often, some) for often, some in made if some]
