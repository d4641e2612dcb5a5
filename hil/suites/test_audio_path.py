"""The way of the sound, both directions: level, frequency response, distortion, noise, delay.

Gain control and noise gate are switched off for these measurements: they change levels by design, and
``test_norms.py`` and the norms of the voice see to them.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from thirdring.appliance import Appliance
from thirdring.protocol.events import AgentRequested, Dtmf
from thirdring_dsp.reference.p56 import speech_level
from thirdring_hil.calls import levels_at, listen, on_time, talking
from thirdring_hil.codecs import G722, PCMA, Codec
from thirdring_hil.ear import EAR_RATE_HZ, Ear
from thirdring_hil.headset import Headset
from thirdring_hil.measurements import Draw, Measure, Row, measure_all
from thirdring_hil.peer import Caller
from thirdring_hil.poll import poll
from thirdring_hil.signals import (
    REFERENCE_HZ,
    Samples,
    crest_safe_multitone,
    dtmf,
    gains_db,
    noise_dbov,
    onset,
    silence,
    thd_n_db,
    tone,
    tone_level_dbov,
)
from thirdring_hil.speech import make_speech
from thirdring_hil.target import Target

MOUTH_RATE_HZ = 16000
TONE_DBOV, TONE_S = -16.0, 3.3
"""-10 dBm0, where ITU-T G.712 measures gain; its peaks stay below both limiters (-3 and -6 dBov)."""
TONES_DBOV, TONES_S = -22.0, 3.3
GAP_S, NOISE_S = 0.3, 2.3
"""Windows enough: their median counts, which a single slip between the clocks of headset and line does
not move."""
EDGE_S = 0.15
"""Left out at both ends of each part: fades, filters, and a jitter buffer that moves by a frame."""
LENGTH_S = TONE_S + GAP_S + TONES_S + GAP_S + NOISE_S

AGC_DB = 15.0
"""audio.agc_range_db."""
QUIET_DB = 10.0
"""Within the range of the gain control (audio.agc_range_db, 15 dB)."""
LEVEL_DB = 0.5
"""ITU-T G.712: the gain of a channel is set within 0.5 dB (relative levels at its ports)."""
MIDDLE_DB = 0.5
"""ITU-T G.712: what a channel may do in the middle of its band."""
EDGE_DB = -3.0
"""What makes a frequency part of a pass band."""
TELEPHONE_DISTORTION_DB = -33.0
"""ITU-T G.712: signal to total distortion of a sine between 0 and -30 dBm0."""
IDLE_DBOV = -71.0
"""ITU-T G.712: -65 dBm0p of an idle channel; 0 dBm0 is -6.15 dBov (ITU-T G.100.1)."""
DELAY_MS = 150.0
"""ITU-T G.114: mouth to ear, up to which nobody notices; the bench's own network adds next to nothing."""


@dataclass(frozen=True)
class Band:
    """What a codec promises: its pass band, and the part of it that has to be level."""

    codec: Codec
    low_hz: float
    high_hz: float
    level_from_hz: float
    level_to_hz: float
    tones_hz: tuple[float, ...]


TELEPHONE = Band(
    PCMA,
    300,
    3400,
    400,
    3000,
    (300, 350, 400, 500, 640, 800, 1020, 1260, 1580, 2000, 2400, 2700, 3000, 3200, 3300, 3400),
)
"""ITU-T G.711: 300 to 3400 Hz."""
WIDE = Band(
    G722,
    50,
    7000,
    100,
    6000,
    (50, 70, 100, 150, 200, 300, 500, 800, 1020, 1580, 2400, 3400, 4300, 5000, 6000, 6500, 7000),
)
"""ITU-T G.722 clause 1: 50 to 7000 Hz."""


@pytest.mark.needs("sip", "headset")
def test_a_quiet_agent_is_heard_as_loud_as_the_norm(
    target: Target, appliance: Appliance, headset: Headset, measure: Measure, tmp_path: Path
) -> None:
    values = {view.name: view.value for view in appliance.settings()}
    if not values["audio.agc"]:
        pytest.skip("the gain control is off")
    norm, band = values["norms.voice.level_target_dbov"], values["norms.voice.level_band_db"]
    assert isinstance(norm, float)
    assert isinstance(band, float)
    speech = tmp_path / "agent.wav"
    make_speech(speech, norm - QUIET_DB)
    with talking(target, appliance) as talk:
        appliance.wait_for(lambda record: levels_at(record, 0.5), 20.0, talk.before)
        end_s = 0.5 + headset.speak(speech) + 1.0
        appliance.wait_for(lambda record: levels_at(record, end_s), end_s + 20.0, talk.before)
        heard = talk.caller.received
    level = speech_level(heard, PCMA.rate_hz).active_dbov
    measure("quiet_agent_at_the_customer", level, "dBov", norm - band, norm + band, "norm voice.level")


@pytest.mark.needs("sip", "headset")
def test_a_muted_or_holding_agent_is_not_heard(
    target: Target, appliance: Appliance, headset: Headset, measure: Measure, tmp_path: Path
) -> None:
    """Somebody speaks near the microphone all the time."""
    spoken = tmp_path / "mouth.wav"
    soundfile.write(spoken, tone(REFERENCE_HZ, TONE_DBOV, 20.0, MOUTH_RATE_HZ), MOUTH_RATE_HZ, "PCM_16")
    with talking(target, appliance) as talk:
        headset.speak(spoken)
        for part, kind, act, undo in (
            ("muted", "mute", appliance.mute, appliance.unmute),
            ("held", "hold", appliance.hold, appliance.resume),
        ):
            since = appliance.state().last_event
            act()
            appliance.wait_for(f"{kind}_started", 10.0, since)
            listen(appliance, 0.0)  # what was under way
            already = len(talk.caller.received)
            listen(appliance, 0.5)
            quiet = noise_dbov(talk.caller.received[already:], PCMA.rate_hz, 300, 3400)
            undo()
            appliance.wait_for(f"{kind}_ended", 10.0, since)
            listen(appliance, 0.0)
            already = len(talk.caller.received)
            listen(appliance, 0.5)
            loud = tone_level_dbov(talk.caller.received[already:], REFERENCE_HZ, PCMA.rate_hz)
            why = "ITU-T G.712: -65 dBm0p, idle"
            measure(f"agent_{part}_at_the_customer", quiet, "dBov", None, IDLE_DBOV, why)
            why = "heard again: what was spoken, within the range of the gain control"
            measure(f"agent_no_longer_{part}", loud, "dBov", TONE_DBOV - AGC_DB, TONE_DBOV + AGC_DB, why)


@pytest.fixture(scope="module")
def linear(target: Target) -> Iterator[Target]:
    """Switch gain control and noise gate off while these tests run; they count from a restart on."""
    if lacking := target.lacking("sip", "headset", "shared_files"):
        pytest.skip(lacking)
    off = {"audio.agc": False, "audio.noise_gate": False}
    with Appliance(target.url) as appliance:
        before = {view.name: view.value for view in appliance.settings() if view.name in off}
    if before == off:
        yield target
        return
    if "restart" not in target.features:
        pytest.skip(f"{target.name} has gain control or noise gate on, and no restart to switch them off")
    _set_and_restart(target, off)
    yield target
    _set_and_restart(target, before)


def _set_and_restart(target: Target, changes: Mapping[str, object]) -> None:
    with Appliance(target.url) as appliance:
        needed = appliance.set_settings(changes)
    if needed:
        target.restart()
        target.settle()


def signal(band: Band, rate_hz: int) -> Samples:
    return np.concatenate(
        [
            tone(REFERENCE_HZ, TONE_DBOV, TONE_S, rate_hz),
            silence(GAP_S, rate_hz),
            crest_safe_multitone(band.tones_hz, TONES_DBOV, TONES_S, rate_hz),
            silence(GAP_S + NOISE_S, rate_hz),
        ]
    )


def parts(samples: Samples, rate_hz: int) -> tuple[Samples, Samples, Samples]:
    """Return tone, tones and idle noise of what was heard, without their edges."""
    begin = onset(samples, rate_hz) / rate_hz
    found = []
    for length_s in (TONE_S, TONES_S, NOISE_S):
        found.append(
            samples[round((begin + EDGE_S) * rate_hz) : round((begin + length_s - EDGE_S) * rate_hz)]
        )
        begin += length_s + GAP_S
    return found[0], found[1], found[2]


def codec_alone(band: Band) -> Samples:
    """Return the tones as they leave the codec when nothing else is in their way."""
    samples, coder, frame = signal(band, band.codec.rate_hz), band.codec.make(), band.codec.frame
    whole = range(0, len(samples) // frame * frame, frame)
    heard = np.concatenate([coder.decode(coder.encode(samples[at : at + frame])) for at in whole])
    return parts(heard, band.codec.rate_hz)[1]


def judge(
    side: str,
    band: Band,
    sent: Samples,
    sent_hz: int,
    heard: Samples,
    heard_hz: int,
    draw: Draw,
) -> list[Row]:
    name = f"{side}_{band.codec.name.lower()}"
    (tone_in, tones_in, _), (tone_out, tones_out, idle) = parts(sent, sent_hz), parts(heard, heard_hz)
    gains = gains_db(tones_in, sent_hz, tones_out, heard_hz, band.tones_hz)
    # What the codec itself does to these tones is not the unit's doing: G.722 has 2 bits for 4 to 7 kHz.
    alone, rate_hz = codec_alone(band), band.codec.rate_hz
    own = gains_db(parts(signal(band, rate_hz), rate_hz)[1], rate_hz, alone, rate_hz, band.tones_hz)
    gains = [gain - codec for gain, codec in zip(gains, own, strict=True)]
    reference = gains[band.tones_hz.index(REFERENCE_HZ)]
    response = [gain - reference for gain in gains]
    level = [band.level_from_hz <= hz <= band.level_to_hz for hz in band.tones_hz]
    low = [-MIDDLE_DB if flat else EDGE_DB for flat in level]
    draw(
        f"{name}_response",
        "Hz",
        "dB",
        list(zip(band.tones_hz, response, strict=True)),
        low,
        [MIDDLE_DB] * len(low),
    )
    gain = tone_level_dbov(tone_out, REFERENCE_HZ, heard_hz) - tone_level_dbov(tone_in, REFERENCE_HZ, sent_hz)
    middle = [value for value, inside in zip(response, level, strict=True) if inside]
    distortion = thd_n_db(tone_out, REFERENCE_HZ, heard_hz, band.low_hz, band.high_hz)
    noise = noise_dbov(idle, heard_hz, band.low_hz, band.high_hz)
    flat = f"ITU-T G.712: 0.5 dB in the middle, {band.level_from_hz:g} to {band.level_to_hz:g} Hz"
    edges = f"{band.codec.name}: {band.low_hz:g} to {band.high_hz:g} Hz pass"
    total = "ITU-T G.712: total distortion of a sine between 0 and -30 dBm0"
    return [
        (f"{name}_gain", gain, "dB", -LEVEL_DB, LEVEL_DB, "ITU-T G.712: gain within 0.5 dB"),
        (f"{name}_response_lowest", min(middle), "dB", -MIDDLE_DB, None, flat),
        (f"{name}_response_highest", max(response), "dB", None, MIDDLE_DB, flat),
        (f"{name}_response_at_the_edges", min(response), "dB", EDGE_DB, None, edges),
        (f"{name}_thd_n", distortion, "dB", None, TELEPHONE_DISTORTION_DB, total),
        (f"{name}_noise", noise, "dBov", None, IDLE_DBOV, "ITU-T G.712: -65 dBm0p, idle"),
    ]


@pytest.mark.needs("sip", "headset", "shared_files")
@pytest.mark.parametrize("band", [TELEPHONE, WIDE], ids=["pcma", "g722"])
def test_sound_passes_unchanged_both_ways(
    band: Band,
    linear: Target,
    appliance: Appliance,
    headset: Headset,
    measure: Measure,
    draw: Draw,
    tmp_path: Path,
) -> None:
    mouth, line = signal(band, MOUTH_RATE_HZ), signal(band, band.codec.rate_hz)
    spoken = tmp_path / "mouth.wav"
    soundfile.write(spoken, mouth, MOUTH_RATE_HZ, "PCM_16")
    with talking(linear, appliance, codec=band.codec) as talk:
        assert talk.media.codec.upper().startswith(band.codec.name)
        appliance.wait_for(lambda record: levels_at(record, 1.0), 20.0, talk.before)

        def play() -> tuple[Samples, Samples]:
            assert linear.state_dir is not None
            ear, already = Ear(linear.state_dir), len(talk.caller.received)
            talk.caller.speak(line)
            headset.speak(spoken)
            listen(appliance, LENGTH_S + 0.5)
            ear.wait_for_s(LENGTH_S + 0.5)
            return talk.caller.received[already:], ear.samples

        at_customer, at_agent = on_time(talk, play)
    rows = judge("mouth", band, mouth, MOUTH_RATE_HZ, at_customer, band.codec.rate_hz, draw)
    rows += judge("ear", band, line, band.codec.rate_hz, at_agent, EAR_RATE_HZ, draw)
    measure_all(measure, rows)


def clock_ahead_s(appliance: Appliance) -> float:
    """Return by how much the unit's clock is ahead of ours: of some requests the one answered soonest."""
    found = []
    for ask in (appliance.mute, appliance.unmute) * 3:
        since = appliance.state().last_event
        before_s = time.monotonic()
        ask()
        after_s = time.monotonic()
        asked = appliance.wait_for(AgentRequested, 5.0, since).event
        found.append((after_s - before_s, asked.at_s - (before_s + after_s) / 2))
    return min(found)[1]


@pytest.mark.needs("sip", "headset", "shared_files")
def test_delay_is_not_noticed(
    target: Target, appliance: Appliance, headset: Headset, measure: Measure, tmp_path: Path
) -> None:
    burst = tmp_path / "burst.wav"
    soundfile.write(burst, tone(REFERENCE_HZ, TONE_DBOV, 0.1, MOUTH_RATE_HZ), MOUTH_RATE_HZ, "PCM_16")
    ears, mouths = [], []
    with talking(target, appliance) as talk:
        appliance.wait_for(lambda record: levels_at(record, 1.0), 20.0, talk.before)
        ahead_s = clock_ahead_s(appliance)
        for digit in "159":
            since = appliance.state().last_event
            talk.caller.speak(dtmf(digit, TONE_DBOV, 0.1, 0.1, PCMA.rate_hz))
            heard = appliance.wait_for(Dtmf, 10.0, since).event
            assert isinstance(heard, Dtmf)
            assert heard.digit == digit
            ears.append(talk.media.at_s + heard.start_s - ahead_s - talk.caller.stream.spoke_at_s)
            already = len(talk.caller.received)
            asked_s = time.monotonic()
            headset.speak(burst)
            mouths.append(arrival_s(talk.caller, already) - asked_s)
    why = "ITU-T G.114: 150 ms from mouth to ear"
    measure("ear_delay", 1000 * min(ears), "ms", 0.0, DELAY_MS, why)
    measure("mouth_delay", 1000 * min(mouths), "ms", 0.0, DELAY_MS, why)


def arrival_s(caller: Caller, already: int) -> float:
    """Wait for a sound after that many samples, and return when its packet came."""

    def arrived_at_s() -> float:
        return caller.stream.arrived_at_s(already + onset(caller.received[already:], PCMA.rate_hz))

    return poll(arrived_at_s, "a sound at the customer", 10.0, not_yet=(ValueError,))
