"""The sound path: which facts a call of known sounds gives, and that nothing but the sound decides them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import cycle
from typing import Any, TypeVar

import numpy as np
import pytest
from scipy.signal import resample_poly

from tests.dsp.signals import tone
from tests.dsp.talk_signals import Samples, Signal, noise, placed, talk
from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.events import (
    SILENCE_DBOV,
    DeadAir,
    Dtmf,
    Event,
    Interruption,
    Levels,
    MediaEnded,
    MediaStarted,
    Overlap,
    TalkSpurt,
    TalkSpurtStarted,
    ToneHeard,
    VoiceFigures,
)
from thirdring_device.engine.media import FRAME_SAMPLES, SAMPLE_RATE_HZ, CallSound
from thirdring_device.settings import Settings, changed

E = TypeVar("E", bound=Event)

STARTED_AT_S = 217.5
LENGTH_S = 33.0


def wideband(signal: Signal) -> Samples:
    return np.clip(np.round(resample_poly(signal, 2, 1) * 32768), -32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def call() -> tuple[Samples, Samples]:
    """A call whose caller is a fax first, presses 5, is talked over, and is then left in silence."""
    digit = tone(770, 0.1, -16) + tone(1336, 0.1, -16)
    cng = [(at, tone(1100, 0.5, -20)) for at in (0.5, 4.0)]
    agent = placed(LENGTH_S, (11, talk(4, level_dbov=-36)), (28, talk(3, level_dbov=-36)))
    customer = placed(LENGTH_S, *cng, (6.0, digit), (7, talk(7)))
    return wideband(agent + noise(LENGTH_S, -62)), wideband(customer + noise(LENGTH_S, -56))


def heard(
    call: tuple[Samples, Samples], blocks: Iterable[int] = (FRAME_SAMPLES,), settings: Settings | None = None
) -> tuple[list[Event], Samples, Samples]:
    """Run the call in blocks of the given sizes, over and over; return the facts and what came out."""
    facts: list[Event] = []
    sound = CallSound("c", "G722", settings or Settings(), facts.append, lambda: STARTED_AT_S)
    to_line, to_ear = np.zeros_like(call[0]), np.zeros_like(call[1])
    at = 0
    for size in cycle(blocks):
        if at >= len(call[0]):
            break
        piece = slice(at, at + size)
        sound.process(call[0][piece], call[1][piece], to_line[piece], to_ear[piece])
        at += size
    sound.finish()
    return facts, to_line, to_ear


@pytest.fixture(scope="module")
def facts(call: tuple[Samples, Samples]) -> list[Event]:
    return heard(call)[0]


def of(facts: list[Event], kind: type[E]) -> list[E]:
    return [event for event in facts if isinstance(event, kind)]


def test_sound_begins_and_ends_on_the_engines_clock(facts: list[Event]) -> None:
    assert facts[0] == MediaStarted(at_s=STARTED_AT_S, call_id="c", codec="G722", sample_rate_hz=16000)
    assert isinstance(facts[-1], MediaEnded)
    assert facts[-1].duration_s == LENGTH_S
    assert facts[-1].at_s == STARTED_AT_S + LENGTH_S
    times = [event.at_s for event in facts]
    assert times == sorted(times)


def test_each_talk_spurt_begins_and_ends(facts: list[Event]) -> None:
    begun = [(event.side, event.start_s) for event in of(facts, TalkSpurtStarted)]
    ended = [(event.side, event.start_s) for event in of(facts, TalkSpurt)]
    assert sorted(begun) == sorted(ended)
    assert {side for side, _ in begun} == {"agent", "customer"}
    customer = [event for event in of(facts, TalkSpurt) if event.side == "customer"]
    assert customer[0].start_s == pytest.approx(7.0, abs=0.15)
    assert customer[-1].end_s == pytest.approx(14.0, abs=0.25)
    assert customer[0].level_dbov == pytest.approx(-26, abs=2.5)


def test_a_fax_and_a_digit_are_heard_where_they_are(facts: list[Event]) -> None:
    tones = of(facts, ToneHeard)
    assert {(event.tone, event.side, event.detail) for event in tones} == {("cng", "customer", "")}
    assert [event.start_s for event in tones] == pytest.approx([0.5, 4.0], abs=0.03)
    assert [event.end_s for event in tones] == pytest.approx([1.0, 4.5], abs=0.03)
    # 0 dBm0 is 3.14 dB below the overload sine, whose level is -3.01 dBov.
    assert tones[0].level_dbm0 == pytest.approx(-20 + 3.01 + 3.14, abs=1)
    (digit,) = of(facts, Dtmf)
    assert (digit.digit, digit.method, digit.side) == ("5", "tone", "customer")
    assert digit.start_s == pytest.approx(6.0, abs=0.02)


def test_an_agent_who_talks_over_the_customer_is_told(facts: list[Event]) -> None:
    (interruption,) = of(facts, Interruption)
    assert interruption.start_s == pytest.approx(11.0, abs=0.15)
    assert interruption.end_s - interruption.start_s >= 0.8
    overlaps = of(facts, Overlap)
    assert overlaps[0].start_s == pytest.approx(11.0, abs=0.15)
    assert overlaps[-1].end_s == pytest.approx(14.0, abs=0.25)


def test_dead_air_is_told_when_it_begins_to_count_and_when_it_is_over(facts: list[Event]) -> None:
    begun, over = of(facts, DeadAir)
    assert not begun.over
    assert over.over
    assert begun.start_s == over.start_s == pytest.approx(15.0, abs=0.25)
    assert begun.end_s == pytest.approx(begun.start_s + 10.0, abs=0.001)
    assert over.end_s == pytest.approx(28.0, abs=0.15)


def test_levels_come_twice_a_second_and_figures_every_five_seconds(facts: list[Event]) -> None:
    levels, figures = of(facts, Levels), of(facts, VoiceFigures)
    assert [event.end_s for event in levels] == pytest.approx(np.arange(1, 2 * LENGTH_S + 1) / 2)
    assert [event.end_s for event in figures] == [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    assert all(len(event.customer_rms_dbov) == 5 for event in levels)
    assert figures[0].customer.syllables_per_s is None
    pace = figures[2].customer.syllables_per_s
    assert pace is not None
    assert 2 < pace < 8
    noises = [event.agent.noise_level_dbov for event in figures]
    assert noises == pytest.approx([-62.0] * len(noises), abs=1.5)


def test_the_whole_call_has_pace_noise_and_shares(facts: list[Event]) -> None:
    (ended,) = of(facts, MediaEnded)
    agent, customer, shared = ended.agent_voice, ended.customer_voice, ended.talk
    assert agent is not None
    assert customer is not None
    assert shared is not None
    assert agent.noise_level_dbov == pytest.approx(-62, abs=1)
    assert customer.noise_level_dbov == pytest.approx(-56, abs=1)
    assert agent.snr_db == pytest.approx(-36 + 62, abs=2)
    assert customer.snr_db == pytest.approx(-26 + 56, abs=2)
    assert agent.syllables_per_s == pytest.approx(customer.syllables_per_s, rel=0.25)
    assert shared.agent_s == pytest.approx(7.0, abs=0.6)
    assert shared.customer_s == pytest.approx(7.0, abs=0.4)
    assert shared.overlap_s == pytest.approx(sum(e.end_s - e.start_s for e in of(facts, Overlap)), abs=0.05)
    assert shared.overlap_percent == pytest.approx(
        100 * shared.overlap_s / (shared.agent_s + shared.customer_s - shared.overlap_s), abs=0.2
    )
    assert shared.dead_air_s == pytest.approx(13.0, abs=0.4)
    assert shared.interruptions == 1


def test_what_still_goes_on_at_the_end_is_counted(call: tuple[Samples, Samples]) -> None:
    until = round(13.0 * SAMPLE_RATE_HZ)
    (ended,) = of(heard((call[0][:until], call[1][:until]))[0], MediaEnded)
    assert ended.talk is not None
    assert ended.talk.customer_s == pytest.approx(6.0, abs=0.4)
    assert ended.talk.overlap_s == pytest.approx(2.0, abs=0.4)
    until = round(27.0 * SAMPLE_RATE_HZ)
    (ended,) = of(heard((call[0][:until], call[1][:until]))[0], MediaEnded)
    assert ended.talk is not None
    assert ended.talk.dead_air_s == pytest.approx(12.0, abs=0.3)


@pytest.mark.parametrize("blocks", [(160,), (480,), (1, 319, 777), (4000,)])
def test_the_way_the_stream_is_cut_changes_nothing(
    call: tuple[Samples, Samples], blocks: tuple[int, ...]
) -> None:
    part = call[0][: 15 * SAMPLE_RATE_HZ], call[1][: 15 * SAMPLE_RATE_HZ]
    expected, line, ear = heard(part)
    found, other_line, other_ear = heard(part, blocks)
    assert found == expected
    np.testing.assert_array_equal(other_line, line)
    np.testing.assert_array_equal(other_ear, ear)


def test_the_trunks_own_tones_are_listened_for() -> None:
    ringback = wideband(placed(12, *((at, tone(450, 1, -14)) for at in (1, 6))))
    silent = np.zeros_like(ringback)
    chinese = of(heard((silent, ringback))[0], ToneHeard)
    assert [(event.tone, event.detail) for event in chinese] == [("ringback", "1"), ("ringback", "2")]
    assert [event.start_s for event in chinese] == pytest.approx([1.0, 6.0], abs=0.03)
    british = changed(Settings(), {"trunk.country": "GB"})
    assert of(heard((silent, ringback), settings=british)[0], ToneHeard) == []


def values(data: Any) -> Iterable[Any]:
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from values(item)
    else:
        yield data


@pytest.mark.parametrize("make", [np.zeros, lambda size, kind: np.full(size, -32768, kind)])
def test_silence_and_overload_are_finite_in_json(make: Callable[[int, type], Samples]) -> None:
    signal = make(6 * SAMPLE_RATE_HZ, np.int16)
    facts, _, _ = heard((signal, signal))
    for event in facts:
        json.dumps(to_fields(event), allow_nan=False)
        assert from_fields(type(event), json.loads(json.dumps(to_fields(event)))) == event
    (ended,) = of(facts, MediaEnded)
    assert ended.agent_voice is not None
    assert ended.agent_voice.syllables_per_s is None
    assert ended.agent_voice.snr_db is None
    assert ended.agent_voice.noise_level_dbov >= SILENCE_DBOV


def test_an_older_media_ended_is_read_without_the_new_figures(facts: list[Event]) -> None:
    fields = to_fields(facts[-1])
    for name in ("agent_voice", "customer_voice", "talk"):
        del fields[name]
    old = from_fields(MediaEnded, fields)
    assert isinstance(facts[-1], MediaEnded)
    assert old == replace(facts[-1], agent_voice=None, customer_voice=None, talk=None)


def test_without_gain_control_and_gate_the_voice_goes_out_as_it_came(
    call: tuple[Samples, Samples],
) -> None:
    plain = changed(Settings(), {"audio.agc": False, "audio.noise_gate": False})
    _, to_line, _ = heard(call, settings=plain)
    _, gated, _ = heard(call)
    quiet = slice(20 * SAMPLE_RATE_HZ, 25 * SAMPLE_RATE_HZ)

    def power(samples: Samples) -> float:
        return float(np.mean(np.square(samples[quiet].astype(float))))

    assert power(to_line) == pytest.approx(power(call[0]), rel=0.02)
    assert power(gated) < 0.2 * power(call[0])
    speech = slice(11 * SAMPLE_RATE_HZ, 15 * SAMPLE_RATE_HZ)
    late = int(np.argmax(np.correlate(to_line[speech].astype(float), call[0][speech][:-1600].astype(float))))
    np.testing.assert_array_equal(to_line[late:], call[0][: len(call[0]) - late])


def test_unequal_blocks_are_refused_and_no_sound_gives_no_fact() -> None:
    facts: list[Event] = []
    sound = CallSound("c", "G722", Settings(), facts.append, lambda: 0.0)
    block = np.zeros(FRAME_SAMPLES, np.int16)
    with pytest.raises(ValueError, match="equally long"):
        sound.process(block, block[:160], block.copy(), block.copy())
    sound.finish()
    assert facts == []
