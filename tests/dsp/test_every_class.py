"""What holds for every public detector, meter and processor, from one table.

Which independent reference each class is held against, on the signals of its own test file:

=======================  ==================================================================
AcousticLimiter          ``reference.limiter``, to the sample
AutomaticGainControl     ``reference.p56`` measures what comes out
CallAnalyzer             its parts, each run alone on the same call
CallProgressDetector     tones rendered from the plan (``tone_plans``): times and counts known
DtmfDetector             ``reference.dtmf``
FaxToneDetector          ``reference.steady_tone``
NoiseGate                levels of speech and background before they were mixed
NoiseMeter               levels of speech and background before they were mixed
RingingSignalDetector    ``reference.steady_tone``
SpeechLevelMeter         ``reference.p56``
SyllableRateMeter        ``reference.talk_network``
TalkAnalyzer             two ``VoiceActivityDetector`` and arithmetic on their talk-spurts (here)
VoiceActivityDetector    ``reference.talk_network``
=======================  ==================================================================
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thirdring_dsp
from tests.dsp import signals, tone_signals
from tests.dsp.subjects import (
    RATES_HZ,
    SUBJECTS,
    Result,
    Samples,
    Stereo,
    assert_same,
    assert_sound,
    figures,
    run,
    take,
)

every_class = pytest.mark.parametrize("name", SUBJECTS)


def everything(rate_hz: int, seed: int = 5) -> Stereo:
    """Something for every class: speech, digits, CNG, busy tone, answer tone, ringing, noise, clipping."""
    rng = np.random.default_rng(seed)
    speech = signals.resample(signals.prompts(2)[: 8000 * 3], 8000, rate_hz) * 32768.0
    busy = tone_signals.tone(450, 350, rate_hz=rate_hz)
    pieces = [
        tone_signals.dtmf_string("159D", rate_hz=rate_hz),
        speech,
        tone_signals.cng(1, rate_hz=rate_hz),
        np.tile(np.concatenate([busy, np.zeros_like(busy)]), 5),
        tone_signals.silence(1200, rate_hz),
        tone_signals.answer_tone(1000, rate_hz=rate_hz),
        rng.normal(0.0, 300.0, rate_hz),
        tone_signals.ringing([0.6, 0.4], 2.6, rate_hz=rate_hz),
        rng.normal(0.0, 30000.0, rate_hz // 2),
    ]
    one = tone_signals.to_int16(np.concatenate(pieces))
    other = tone_signals.to_int16(np.concatenate([pieces[i] for i in (3, 4, 1, 6, 0, 2, 8, 7, 5)]))
    return one, other


@pytest.fixture(scope="module")
def streams() -> dict[int, Stereo]:
    return {rate_hz: everything(rate_hz) for rate_hz in RATES_HZ}


@pytest.fixture(scope="module")
def whole(streams: dict[int, Stereo]) -> Callable[[str, int], Result]:
    """Return what an uncut stream gives, kept for all tests."""
    known: dict[tuple[str, int], Result] = {}

    def of(name: str, rate_hz: int) -> Result:
        if (name, rate_hz) not in known:
            subject = SUBJECTS[name]
            known[name, rate_hz] = run(subject, subject.make(rate_hz), streams[rate_hz])
        return known[name, rate_hz]

    return of


def extremes(rate_hz: int) -> Iterator[tuple[str, Samples]]:
    count = rate_hz // 2
    n = np.arange(count)
    for value in (0, 1, -1, 32767, -32768):
        yield f"dc {value}", np.full(count, value, np.int16)
    for half in (1, 2, 3, rate_hz // 2000, rate_hz // 100, rate_hz // 50):
        yield f"square of {2 * half}", np.where(n // half % 2, -32768, 32767).astype(np.int16)
    clicks = np.zeros(count, np.int16)
    clicks[:: rate_hz // 20] = -32768
    yield "clicks", clicks
    yield "noise", np.random.default_rng(3).integers(-32768, 32768, count, np.int16)


def test_the_table_names_every_public_class() -> None:
    public = {name for name in thirdring_dsp.__all__ if name != "DspEvent"}
    assert public == set(SUBJECTS)


@every_class
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_an_eventful_stream_gives_sound_results(
    name: str, rate_hz: int, streams: dict[int, Stereo], whole: Callable[[str, int], Result]
) -> None:
    result = whole(name, rate_hz)
    assert_sound(SUBJECTS[name], result, streams[rate_hz][0].size / rate_hz)
    if "Detector" in name or "Analyzer" in name:
        assert result.events


@every_class
@settings(max_examples=12, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    sizes=st.lists(
        st.one_of(st.integers(0, 40), st.integers(100, 1200), st.integers(4000, 70000)),
        min_size=1,
        max_size=5,
    ).filter(lambda sizes: sum(sizes) >= 40 * len(sizes)),
)
def test_the_cut_of_the_stream_changes_nothing(
    name: str,
    rate_hz: int,
    sizes: list[int],
    streams: dict[int, Stereo],
    whole: Callable[[str, int], Result],
) -> None:
    subject = SUBJECTS[name]
    assert_same(run(subject, subject.make(rate_hz), streams[rate_hz], sizes), whole(name, rate_hz))


@every_class
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_one_sample_at_a_time_gives_the_same(name: str, rate_hz: int, streams: dict[int, Stereo]) -> None:
    subject = SUBJECTS[name]
    one, other = streams[rate_hz]
    some = one[: rate_hz // 2], other[: rate_hz // 2]
    found = run(subject, subject.make(rate_hz), some, [1, 0])
    assert_same(found, run(subject, subject.make(rate_hz), some))


@every_class
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_extreme_samples_do_no_harm(name: str, rate_hz: int) -> None:
    subject = SUBJECTS[name]
    item = subject.make(rate_hz)
    heard = 0
    for _, samples in extremes(rate_hz):
        alone = run(subject, subject.make(rate_hz), (samples, samples))
        assert_sound(subject, alone, samples.size / rate_hz)
        heard += samples.size
        assert_sound(subject, run(subject, item, (samples, np.zeros_like(samples))), heard / rate_hz)


@every_class
@settings(max_examples=12, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    pieces=st.lists(
        st.tuples(st.sampled_from([-32768, -8192, -1, 0, 1, 300, 32767]), st.integers(1, 2000)),
        max_size=30,
    ),
    jitter=st.sampled_from([0, 1, 1000]),
)
def test_steps_of_any_size_do_no_harm(
    name: str, rate_hz: int, pieces: list[tuple[int, int]], jitter: int
) -> None:
    subject = SUBJECTS[name]
    values = np.repeat([value for value, _ in pieces], [count for _, count in pieces])
    noise = np.random.default_rng(1).integers(-jitter, jitter + 1, values.size)
    samples = np.clip(values + noise, -32768, 32767).astype(np.int16)
    result = run(subject, subject.make(rate_hz), (samples, samples[::-1].copy()), [333])
    assert_sound(subject, result, samples.size / rate_hz)


@every_class
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_reset_is_as_good_as_new(
    name: str, rate_hz: int, streams: dict[int, Stereo], whole: Callable[[str, int], Result]
) -> None:
    subject = SUBJECTS[name]
    item = subject.make(rate_hz)
    one, other = streams[rate_hz]
    run(subject, item, (other[: -rate_hz // 3], one[: -rate_hz // 3]))
    for _, samples in extremes(rate_hz):
        run(subject, item, (samples, samples), [1237])
    item.reset()
    assert figures(item).keys() == figures(subject.make(rate_hz)).keys()
    assert_same(run(subject, item, (one[:0], other[:0])), run(subject, subject.make(rate_hz), (one[:0],) * 2))
    assert_same(run(subject, item, streams[rate_hz]), whole(name, rate_hz))


@every_class
def test_empty_blocks_are_taken(name: str) -> None:
    subject = SUBJECTS[name]
    item = subject.make(8000)
    before = figures(item)
    nothing = np.empty(0, np.int16)
    events, outs = take(subject, item, (nothing, nothing))
    assert events == []
    assert all(out.size == 0 for out in outs)
    assert str(figures(item)) == str(before)


BAD_BLOCKS: dict[str, Any] = {
    "int32": np.zeros(160, np.int32),
    "uint16": np.zeros(160, np.uint16),
    "float64": np.zeros(160),
    "other byte order": np.zeros(160, np.dtype(np.int16).newbyteorder()),
    "two dimensions": np.zeros((160, 1), np.int16),
    "no dimension": np.array(0, np.int16),
    "every other sample": np.zeros(320, np.int16)[::2],
    "backwards": np.zeros(160, np.int16)[::-1],
    "bytes": bytes(320),
    "list": [0] * 160,
    "text": "0" * 160,
    "none": None,
    "number": 160,
}


@every_class
@pytest.mark.parametrize("bad", BAD_BLOCKS)
def test_wrong_blocks_are_refused_and_leave_no_trace(name: str, bad: str) -> None:
    subject = SUBJECTS[name]
    item, good = subject.make(8000), np.zeros(160, np.int16)
    method = item.process if subject.outputs else item.update
    for at in range(subject.inputs):
        blocks = [good] * subject.inputs
        blocks[at] = BAD_BLOCKS[bad]
        with pytest.raises((TypeError, ValueError)):
            method(*blocks)
    assert str(figures(item)) == str(figures(subject.make(8000)))


@every_class
def test_a_read_only_block_is_taken(name: str) -> None:
    subject = SUBJECTS[name]
    block = np.zeros(160, np.int16)
    block.flags.writeable = False
    take(subject, subject.make(8000), (block, block))


def read_only(samples: Samples) -> Samples:
    samples.flags.writeable = False
    return samples


@pytest.mark.parametrize("name", [name for name, subject in SUBJECTS.items() if subject.outputs])
@pytest.mark.parametrize(
    "bad", ["short", "long", "read only", *(name for name in BAD_BLOCKS if name != "none")]
)
def test_wrong_outputs_are_refused_and_leave_no_trace(name: str, bad: str) -> None:
    subject = SUBJECTS[name]
    good = np.zeros(160, np.int16)
    wrong = {
        "short": np.zeros(159, np.int16),
        "long": np.zeros(161, np.int16),
        "read only": read_only(np.zeros(160, np.int16)),
        **BAD_BLOCKS,
    }[bad]
    for at in range(subject.outputs):
        item = subject.make(8000)
        outs = [np.zeros(160, np.int16) for _ in range(subject.outputs)]
        outs[at] = wrong
        # What cannot be written to at all refuses by itself: BufferError.
        with pytest.raises(BufferError if bad == "bytes" else (TypeError, ValueError)):
            item.process(*[good] * subject.inputs, *outs)
        assert str(figures(item)) == str(figures(subject.make(8000)))


@every_class
def test_wrong_sample_rates_are_refused(name: str) -> None:
    for rate_hz in (0, -8000, 7999, 11025, 2**31 - 1):
        with pytest.raises(ValueError, match="rate"):
            SUBJECTS[name].make(rate_hz)
    for rate in (None, "8000", 2**40):
        with pytest.raises((TypeError, OverflowError)):
            SUBJECTS[name].make(rate)  # type: ignore[arg-type]


@every_class
def test_no_instance_comes_about_half_made(name: str) -> None:
    subject = SUBJECTS[name]
    kind: Any = type(subject.make(8000))
    try:
        item = kind.__new__(kind)
    except TypeError:
        return  # it insists on a sample rate
    block = np.zeros(160, np.int16)
    assert take(subject, item, (block, block))[0] == []


@every_class
def test_an_hour_does_no_harm_and_times_stay_exact(name: str, streams: dict[int, Stereo]) -> None:
    subject = SUBJECTS[name]
    # 240 s hold whole frames of every detector (1.5, 6, 10 and 16 ms), so that only the time differs.
    quiet = np.random.default_rng(9).normal(0.0, 8.0, 240 * 8000).astype(np.int16)
    told = []
    for turns in (1, 15):
        item = subject.make(8000)
        for _ in range(turns):
            result = run(subject, item, (quiet, quiet))
        tail = run(subject, item, streams[8000])
        offset_s = turns * 240.0
        assert_sound(subject, tail, offset_s + streams[8000][0].size / 8000)
        assert_sound(subject, result, offset_s)
        told.append([(e, offset_s) for e in tail.events if e.start_s >= offset_s - 0.1])
    assert len(told[0]) == len(told[1])
    for (early, early_s), (late, late_s) in zip(*told, strict=True):
        assert (late.kind, late.value) == (early.kind, early.value)
        assert late.start_s - late_s == pytest.approx(early.start_s - early_s, abs=1e-6)
        assert late.end_s - late_s == pytest.approx(early.end_s - early_s, abs=1e-6)
        assert late.level_dbov == pytest.approx(early.level_dbov, abs=0.01)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_talk_analyzer_tells_the_talk_spurts_of_two_detectors(
    rate_hz: int, streams: dict[int, Stereo], whole: Callable[[str, int], Result]
) -> None:
    vad = SUBJECTS["VoiceActivityDetector"]
    told = whole("TalkAnalyzer", rate_hz).events
    sides = {}
    for side, samples in zip(("agent", "customer"), streams[rate_hz], strict=True):
        alone = run(vad, vad.make(rate_hz), (samples, samples)).events
        sides[side] = [e for e in alone if e.kind == "talk_spurt"]
        assert [e._replace(value="") for e in told if (e.kind, e.value) == ("talk_spurt", side)] == sides[
            side
        ]
    overlaps = [
        (start_s, end_s)
        for one in sides["agent"]
        for other in sides["customer"]
        if (end_s := min(one.end_s, other.end_s)) - (start_s := max(one.start_s, other.start_s)) >= 0.1
    ]
    assert sorted((e.start_s, e.end_s) for e in told if e.kind == "overlap") == sorted(overlaps)
