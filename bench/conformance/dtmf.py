"""DTMF to ITU-T Q.23 and Q.24, beside spandsp on the same samples."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import soundfile
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tests.dsp.tone_signals import (
    CODECS,
    DTMF_KEYS,
    Samples,
    Signal,
    amplitude,
    dial_tone,
    drop_out,
    dtmf_digit,
    dtmf_string,
    silence,
    through_codec,
    to_int16,
    white_noise,
)

from bench.conformance.row import Row
from bench.dsp import spandsp
from thirdring_dsp import DtmfDetector

SECTION = "DTMF"
LANGUAGES = ("en", "es", "fr", "it", "ru")
CODEC_NOTE = "a speech codec that the appliance does not offer; 50 ms are 2.5 of its frames"
Receiver = Callable[[Samples], str]
Maker = Callable[[str, np.random.Generator], Signal]


def ours(samples: Samples) -> str:
    return "".join(event.value for event in DtmfDetector().update(samples) if event.kind == "dtmf")


def rates(make: Maker, trials: int, expected: str = "{key}", seed: int = 1) -> tuple[float, float]:
    """Return the share of trials a key in which ours and spandsp hear exactly what is expected."""
    rng = np.random.default_rng(seed)
    right = [0, 0]
    for key in DTMF_KEYS:
        for _ in range(trials):
            offset = silence(40 + rng.uniform(0, 13))
            samples = to_int16(np.concatenate([offset, make(key, rng), silence(60)]))
            for index, receiver in enumerate((ours, spandsp.dtmf_keys)):
                right[index] += receiver(samples) == expected.replace("{key}", key)
    return right[0] / (trials * len(DTMF_KEYS)), right[1] / (trials * len(DTMF_KEYS))


def percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def row(
    gate: str, limit: str, shares: tuple[float, float], least: float = 0.0, most: float = 1.0, note: str = ""
) -> Row:
    met = least <= shares[0] <= most
    return Row(SECTION, gate, limit, percent(shares[0]), met, f"spandsp {percent(shares[1])}", note)


def accepted_bandwidth(receiver: Receiver, key: str, both: bool) -> tuple[float, float]:
    """Return the lowest and highest deviation in percent, in steps of 0.1, accepted without a miss."""
    limits = []
    for sign in (-1, 1):
        accepted = 0.0
        for step in range(1, 46):
            off = sign * step / 1000
            rng = np.random.default_rng(step)
            for _ in range(4):
                digit = dtmf_digit(key, 50, low_off=off, high_off=off if both else 0.0, rng=rng)
                if receiver(to_int16(np.concatenate([silence(40), digit, silence(60)]))) != key:
                    break
            else:
                accepted = off * 100
                continue
            break
        limits.append(accepted)
    return limits[0], limits[1]


def one(
    duration_ms: float = 50,
    *,
    low_off: float = 0.0,
    high_off: float = 0.0,
    twist_db: float = 0.0,
    level_dbm0: float = -10.0,
) -> Maker:
    """One digit."""

    def make(key: str, rng: np.random.Generator) -> Signal:
        return dtmf_digit(
            key,
            duration_ms,
            low_off=low_off,
            high_off=high_off,
            twist_db=twist_db,
            level_dbm0=level_dbm0,
            rng=rng,
        )

    return make


def with_dropout(gap_ms: float) -> Maker:
    """100 ms with a hole of silence anywhere in it."""

    def make(key: str, rng: np.random.Generator) -> Signal:
        return drop_out(dtmf_digit(key, 100, rng=rng), rng.uniform(5, 85), gap_ms)

    return make


def twice(pause_ms: float) -> Maker:
    """The same key twice, 50 ms each."""

    def make(key: str, rng: np.random.Generator) -> Signal:
        first, second = (dtmf_digit(key, 50, rng=rng) for _ in range(2))
        return np.concatenate([first, silence(pause_ms), second])

    return make


def noisy(snr_db: float, twist_db: float = 0.0) -> Maker:
    """50 ms digits with white noise at that ratio of both tones' power to its power in the whole band."""

    def make(key: str, rng: np.random.Generator) -> Signal:
        digit = np.concatenate([dtmf_digit(key, 50, twist_db=twist_db, rng=rng), silence(40)])
        power = amplitude(-10) ** 2 / 2 * (1 + 10 ** (-abs(twist_db) / 10))
        return digit + white_noise(len(digit), power * 10 ** (-snr_db / 10), rng)

    return make


def dialled(keys: str, coded: Samples, on_ms: float, off_ms: float) -> tuple[float, float]:
    """Return the share of a string's digits that ours hears once and in place, and spandsp's count right."""
    events = [event for event in DtmfDetector().update(coded) if event.kind == "dtmf"]
    starts_s = (off_ms + (on_ms + off_ms) * np.arange(len(keys))) / 1000
    right = sum(
        [e.value for e in events if -0.02 < e.start_s - start < (on_ms + off_ms) / 1000 - 0.03] == [key]
        for key, start in zip(keys, starts_s, strict=True)
    )
    return right / len(keys), matched(keys, spandsp.dtmf_keys(coded)) / len(keys)


def matched(wanted: str, heard: str) -> int:
    """Return the length of the longest common subsequence, less what was heard too much."""
    previous = np.zeros(len(heard) + 1, int)
    for key in wanted:
        current = previous.copy()
        for index, other in enumerate(heard):
            current[index + 1] = max(current[index], previous[index + 1], previous[index] + (key == other))
        previous = current
    return int(previous[-1]) - max(0, len(heard) - len(wanted))


def under_dial_tone(frequencies_hz: Iterable[float], over_db: float) -> tuple[float, float]:
    """Return the shares right of digits with a dial tone that much louder; spandsp with its filter."""
    right = [0, 0]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        keys = "".join(rng.permutation(list(DTMF_KEYS)))
        signal = np.concatenate([silence(200), dtmf_string(keys, 50, 150, level_dbm0=-18, rng=rng)])
        samples = to_int16(signal + dial_tone(list(frequencies_hz), len(signal), -18 + over_db))
        right[0] += matched(keys, ours(samples))
        right[1] += matched(keys, spandsp.dtmf_keys(samples, dial_tone_filter=True))
    return right[0] / (6 * 16), right[1] / (6 * 16)


def false_digits(folders: Iterable[Path]) -> tuple[int, int, float]:
    """Return false digits over all wave files at -12, 0 and +12 dB, of ours and spandsp, and the minutes."""
    false, seconds = [0, 0], 0.0
    for path in sorted(path for folder in folders for path in folder.rglob("*.wav")):
        samples, rate_hz = soundfile.read(path, dtype="int16")
        if rate_hz != 8000:
            continue
        seconds += len(samples) / 8000
        for gain_db in (-12, 0, 12):
            scaled = to_int16(samples * 10 ** (gain_db / 20))
            false[0] += len(ours(scaled))
            false[1] += len(spandsp.dtmf_keys(scaled))
    return false[0], false[1], seconds / 60


def both_rates(rate_hz: int) -> float:
    """Return the share of digits right at another sample rate, in noise at 15 dB."""
    rng = np.random.default_rng(4)
    keys = DTMF_KEYS * 20
    signal = dtmf_string(keys, rate_hz=rate_hz, rng=rng)
    signal += white_noise(len(signal), amplitude(-10) ** 2 * 10**-1.5, rng)
    events = DtmfDetector(rate_hz).update(to_int16(signal))
    return matched(keys, "".join(e.value for e in events if e.kind == "dtmf")) / len(keys)


def rows(pictures: Path) -> list[Row]:
    found = []
    for off in (-0.018, 0.018):
        shares = rates(one(low_off=off, high_off=off), 20)
        found.append(row(f"both tones off by {off:+.1%}, 16 keys x 20", "100 %", shares, least=1.0))
    for off in (-0.035, 0.035):
        for name, make in (("low", one(low_off=off)), ("high", one(high_off=off))):
            found.append(row(f"{name} tone off by {off:+.1%}, accepted", "0 %", rates(make, 20), most=0.0))
    for twist in (-8.0, 4.0):
        shares = rates(one(twist_db=twist), 30)
        found.append(row(f"twist {twist:+g} dB (high over low)", ">= 99 %", shares, least=0.99))
        shares = rates(noisy(15, twist), 30)
        found.append(row(f"twist {twist:+g} dB at S/N 15 dB", ">= 99 %", shares, least=0.99))
    for ms in (10, 20, 23):
        found.append(row(f"{ms} ms, accepted", "0 %", rates(one(ms), 60), most=0.0))
    found.append(row("40 ms", "100 %", rates(one(40), 60), least=1.0))
    for ms in (5, 10):
        shares = rates(with_dropout(ms), 40)
        found.append(row(f"a dropout of {ms} ms does not split 100 ms", "100 %", shares, least=1.0))
    found.append(row("a pause of 20 ms splits", "100 %", rates(twice(20), 40, "{key}{key}"), least=1.0))
    for level in (0, -41):
        shares = rates(one(level_dbm0=level), 30)
        found.append(row(f"{level} dBm0 a tone", "100 %", shares, least=1.0))
    found.append(row("S/N 10 dB, 50 ms, 16000 digits", ">= 99.9 %", rates(noisy(10), 1000), least=0.999))
    for codec in CODECS:
        for on_ms in (50, 80):
            keys = DTMF_KEYS * 20
            string = dtmf_string(keys, on_ms, on_ms, rng=np.random.default_rng(2))
            shares = dialled(keys, through_codec(to_int16(string), codec), on_ms, on_ms)
            found.append(row(f"{codec} coded, {on_ms} ms", ">= 99 %", shares, least=0.99, note=CODEC_NOTE))
    for frequencies in ((350, 440), (425,), (450,)):
        for over in (-9.0, 12.0):
            name = "+".join(map(str, frequencies))
            found.append(
                row(
                    f"dial tone {name} Hz {over:+g} dB over",
                    ">= 99 %",
                    under_dial_tone(frequencies, over),
                    0.99,
                )
            )
    found.append(row("at 16 kHz, S/N 15 dB", "100 %", (both_rates(16000), 0.0), least=1.0)._replace(peer="-"))
    sounds = Path("/usr/share/asterisk/sounds")
    for name, folders in (
        ("prompts, five languages", [p for code in LANGUAGES for p in sounds.glob(f"{code}_*")]),
        ("music on hold", [Path("/usr/share/asterisk/moh")]),
    ):
        our_count, peer_count, minutes = false_digits(folders)
        gate = f"false digits, {name}, {minutes:.0f} min at 3 gains"
        met = our_count == 0 and minutes > 0
        found.append(Row(SECTION, gate, "0", str(our_count), met, f"spandsp {peer_count}"))
    draw(pictures)
    return found


def draw(pictures: Path) -> None:
    """Draw bandwidth a key, twist, noise, and duration curves."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    bandwidth, twist, noise, duration = figure.subplots(2, 2).flat
    for receiver, label, colour, shift in (
        (ours, "ours", "C0", -0.15),
        (spandsp.dtmf_keys, "spandsp", "C1", 0.15),
    ):
        for index, key in enumerate(DTMF_KEYS):
            low, high = accepted_bandwidth(receiver, key, both=True)
            bandwidth.plot(
                [index + shift] * 2, [low, high], colour, label=label if index == 0 else None, lw=3
            )
    bandwidth.axhspan(-1.8, 1.8, color="0.9")
    bandwidth.set_xticks(range(16), list(DTMF_KEYS))
    bandwidth.set(title="Both tones off, always accepted", ylabel="%")
    curves_of: tuple[tuple[Axes, str, str, Iterable[float], Callable[[float], Maker]], ...] = (
        (twist, "Twist", "high over low / dB", range(-13, 10), lambda x: one(twist_db=x)),
        (noise, "White noise, 50 ms", "S/N / dB", range(-2, 15), noisy),
        (duration, "Duration", "ms", range(18, 47), one),
    )
    for axes, title, label, points, make in curves_of:
        curves = np.array([rates(make(x), 8) for x in points]) * 100
        axes.plot(list(points), curves[:, 0], label="ours")
        axes.plot(list(points), curves[:, 1], label="spandsp")
        axes.set(title=title, xlabel=label, ylabel="accepted / %")
    for axes in (bandwidth, twist, noise, duration):
        axes.legend(frameon=False, fontsize=7)
    figure.savefig(pictures / "dtmf.svg")
