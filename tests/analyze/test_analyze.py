"""Analysing recordings: what the live call was judged by is what the recording is judged by."""

import argparse
import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.core.script import RULES
from tests.dsp import signals
from thirdring.protocol.errors import MediaError, StorageError
from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Dtmf,
    Event,
    Record,
    RecordingPaused,
    RecordingResumed,
    Verdict,
)
from thirdring.protocol.views import CallDetail
from thirdring_device.adapters.recording.facts import COMMENT_TAG
from thirdring_device.adapters.recording.key import KEY_FILE, read_or_make_key
from thirdring_device.adapters.recording.recorder import Recorder
from thirdring_device.adapters.recording.sinks import Plan
from thirdring_device.analyze import add_parser
from thirdring_device.cli import main
from thirdring_device.core.digits import DigitSieve
from thirdring_device.core.norms.settings import SurveySettings
from thirdring_device.engine.media import FRAME_SAMPLES, SAMPLE_RATE_HZ, CallSound
from thirdring_device.engine.replay import desk_settings
from thirdring_device.recorded import analyze, judged
from thirdring_device.report import Report, build
from thirdring_device.settings import Settings

CALL_ID = "20260302T081504-abc123"
BEGAN_AT_S = 731.25
"""The engine's clock when the call came; a recording keeps it, a report does not show it."""

ANSWERED_FIRST = {
    "seq": 1,
    "utc": "2026-03-02T08:15:04Z",
    "kind": "call_answered",
    "at_s": 1.0,
    "call_id": "x",
}
"""A call cannot begin so."""

Signal = npt.NDArray[np.int16]


def voiced(*spans: tuple[float, float, float], length_s: float) -> Signal:
    """Return a buzz with formants (start, end, level in dBov) over a quiet line: enough for any VAD."""
    time_s = np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    chance = np.random.default_rng(7)
    signal = chance.normal(0.0, 3.0, len(time_s))
    for start_s, end_s, level_dbov in spans:
        inside = (time_s >= start_s) & (time_s < end_s)
        pitch_hz = 130.0 + 20.0 * np.sin(2 * np.pi * 0.7 * time_s)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
        buzz = sum(np.sin(k * phase) * np.exp(-(((k * 130 - 600) / 900.0) ** 2)) for k in range(1, 25))
        buzz = buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 4.0 * time_s))  # syllables
        rms = np.sqrt(np.mean(np.square(buzz[inside])))
        signal += np.where(inside, buzz / rms * 32768 * 10 ** (level_dbov / 20), 0.0)
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)


def live_call(
    path: Path,
    agent: Signal,
    customer: Signal,
    *,
    answered_after_s: float,
    ended: bool = True,
    paused_s: tuple[float, float] | None = None,
) -> list[Verdict]:
    """Run a call as the engine does, recording it to ``path``; return the verdicts."""
    records = live_records(path, agent, customer, answered_after_s, ended=ended, paused_s=paused_s)
    events = [record.event for record in records]
    return [event for event in events if isinstance(event, Verdict)]


def live_records(
    path: Path,
    agent: Signal,
    customer: Signal,
    answered_after_s: float,
    *,
    ended: bool = True,
    paused_s: tuple[float, float] | None = None,
    outgoing: bool = False,
    during: Sequence[Event] = (),
    settings: Settings | None = None,
) -> list[Record]:
    """Run a call as the engine does, recording it to ``path``; return all that was said of it.

    ``during`` are further facts, their times since the answer.
    """
    settings = settings or Settings()
    answered_s = BEGAN_AT_S + 0.02 + answered_after_s
    form: Literal["wav", "opus"] = "opus" if path.suffix == ".ogg" else "wav"
    key = read_or_make_key(path.parent.parent / KEY_FILE) if path.suffix == ".sealed" else b""
    plan = Plan(path.parent, path.stem, form, key=key)
    assert plan.path == path
    told: list[Event] = []
    recorder = Recorder(plan, told.append, lambda: answered_s)
    heard: list[Event] = []
    sound = CallSound(CALL_ID, "G722", settings, heard.append, lambda: answered_s + 0.013, recorder.write)
    out = np.zeros(FRAME_SAMPLES, np.int16)
    for start in range(0, len(agent) // FRAME_SAMPLES * FRAME_SAMPLES, FRAME_SAMPLES):
        frame = slice(start, start + FRAME_SAMPLES)
        if paused_s and start == round(paused_s[0] * SAMPLE_RATE_HZ):
            recorder.mask(True)
        if paused_s and start == round(paused_s[1] * SAMPLE_RATE_HZ):
            recorder.mask(False)
        sound.process(agent[frame], customer[frame], out, out.copy())
    sound.finish()
    end_s = answered_s + 0.05 + len(agent) / SAMPLE_RATE_HZ
    facts: list[Event] = [
        CallIncoming(at_s=BEGAN_AT_S, call_id=CALL_ID, number="+862155550101", display_name="李伟"),
        CallAlerting(at_s=BEGAN_AT_S + 0.02, call_id=CALL_ID),
        AgentRequested(at_s=answered_s - 0.02, call_id=CALL_ID, action="answer", source="at"),
        CallAnswered(at_s=answered_s, call_id=CALL_ID),
        *sorted([*heard, *(replace(e, at_s=answered_s + e.at_s) for e in during)], key=lambda e: e.at_s),
    ]
    sieve = DigitSieve()
    facts = [fact for fact in facts if not isinstance(fact, Dtmf) or sieve.passes(fact)]
    if outgoing:
        facts[0] = CallOutgoing(at_s=BEGAN_AT_S, call_id=CALL_ID, number="10086")
        facts[2] = AgentRequested(
            at_s=BEGAN_AT_S,
            call_id=CALL_ID,
            action="dial",
            argument="10086",
            reason="asked for",
            local_time="2026-03-02T22:15:00+08:00",
        )
        facts.insert(0, facts.pop(2))
    end = CallEnded(at_s=end_s, call_id=CALL_ID, by="customer", cause="hangup")
    utc = "2026-03-02T08:15:04.500Z"
    records = judged([*facts, end], desk_settings(settings), lambda at_s: utc)
    kept = records if ended else [r for r in records if not isinstance(r.event, CallEnded)]
    pauses = [
        Record(0, utc, replace(event, call_id=CALL_ID, at_s=answered_s + event.start_s))
        for event in told
        if isinstance(event, RecordingPaused | RecordingResumed)
    ]
    assert len(pauses) == (2 if paused_s else 0)
    recorder.close([*kept, *pauses] if not kept else [kept[0], *pauses, *kept[1:]])
    return records


def without_numbers(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts without the numbers of their evidence, which are the journal's own."""
    return [replace(verdict, evidence=()) for verdict in verdicts]


@pytest.mark.parametrize(
    ("answered_after_s", "first_word_s", "level_dbov", "expected"),
    [
        (6.0, 1.0, -26.0, {"answer.rings": "met", "answer.greeting": "met", "voice.level": "met"}),
        (15.0, 3.1, -26.0, {"answer.rings": "breached", "answer.greeting": "breached", "voice.level": "met"}),
        (11.0, 1.5, -62.0, {"answer.rings": "met"}),
    ],
)
def test_a_recording_gets_the_verdicts_of_the_live_call(
    tmp_path: Path,
    answered_after_s: float,
    first_word_s: float,
    level_dbov: float,
    expected: Mapping[str, str],
) -> None:
    agent = voiced((first_word_s, 9.0, level_dbov), (13.0, 17.0, level_dbov), length_s=20.0)
    customer = voiced((9.5, 12.5, -24.0), length_s=20.0)
    path = tmp_path / "call.wav"
    live = live_call(path, agent, customer, answered_after_s=answered_after_s)
    report = analyze(path, Settings())
    assert without_numbers(report.verdicts) == without_numbers(live)
    given = {verdict.rule: verdict.verdict for verdict in report.verdicts}
    assert list(given) == RULES
    assert {rule: given[rule] for rule in expected} == expected


@pytest.mark.parametrize("name", ["call.wav", "call.sealed"])
def test_a_sealed_recording_gets_them_too(tmp_path: Path, name: str) -> None:
    path = tmp_path / "recordings" / name
    agent = voiced((1.0, 9.0, -30.0), (13.0, 17.0, -24.0), length_s=20.0)
    customer = voiced((9.5, 12.5, -24.0), length_s=20.0)
    live = live_call(path, agent, customer, answered_after_s=6.0)
    assert without_numbers(analyze(path, Settings()).verdicts) == without_numbers(live)


TIME_S = 0.1
"""What Opus may move a time measured in a recording by."""
LEVEL_DB = 0.5
"""And a level."""
SHARE_PERCENT = 2.0
PACE_LIMITS = (
    Settings().norms.voice.rate_min_syllables_per_s,
    Settings().norms.voice.rate_max_syllables_per_s,
)
TOLERANCES = {"s": TIME_S, "dBov": LEVEL_DB, "dB": LEVEL_DB, "%": SHARE_PERCENT, "syllables/s": 0.2}


@pytest.mark.parametrize("level_dbov", [-38.0, -26.0, -18.0])
@pytest.mark.parametrize("answered_after_s", [6.0, 15.0])
def test_opus_gives_the_same_values_within_its_tolerance_and_the_verdicts_beyond_it(
    tmp_path: Path, level_dbov: float, answered_after_s: float
) -> None:
    speech = signals.to_int16(
        signals.at_active_level(signals.prompts(5, sample_rate_hz=SAMPLE_RATE_HZ), level_dbov, SAMPLE_RATE_HZ)
    )[: 9 * SAMPLE_RATE_HZ]
    quiet = np.zeros(SAMPLE_RATE_HZ, np.int16)
    agent = np.concatenate((quiet, speech, np.zeros_like(speech), quiet))
    customer = np.concatenate((quiet, np.zeros_like(speech), speech, quiet))
    agent += np.rint(np.random.default_rng(1).normal(0.0, 8.0, len(agent))).astype(np.int16)
    path = tmp_path / "call.ogg"
    live = live_call(path, agent, customer, answered_after_s=answered_after_s)
    given = analyze(path, Settings()).verdicts
    assert [v.rule for v in given] == [v.rule for v in live]
    for verdict, was in zip(given, live, strict=True):
        tolerance = TOLERANCES.get(was.unit, 0.0)
        assert verdict.value == pytest.approx(was.value, abs=tolerance), was.rule
        limits = PACE_LIMITS if was.rule == "voice.rate" else (was.threshold,)
        if was.value is None or all(x is None or abs(was.value - x) > tolerance for x in limits):
            assert verdict.verdict == was.verdict, was.rule


@pytest.mark.parametrize("name", ["call.wav", "call.ogg", "call.sealed"])
def test_a_recording_that_was_paused_gets_the_verdicts_of_the_live_call(tmp_path: Path, name: str) -> None:
    """Half of the agent's speech is masked, and so is a pause that would be dead air."""
    path = tmp_path / "recordings" / name
    agent = voiced((1.0, 14.0, -26.0), (16.0, 19.0, -40.0), length_s=20.0)
    customer = voiced((14.5, 15.5, -24.0), length_s=20.0)
    live = live_call(path, agent, customer, answered_after_s=6.0, paused_s=(2.0, 14.0))
    report = analyze(path, Settings())
    assert report.live_verdicts
    assert [moment.name for moment in report.moments if moment.kind == "recording"] == ["paused", "resumed"]
    said = report.to_text()
    assert "of the live call: the recording does not hold all of its sound" in said
    assert "Recording paused" in said
    assert without_numbers(report.verdicts) == without_numbers(live)


def test_a_sealed_recording_is_of_no_use_without_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "recordings" / "call.sealed"
    live_call(path, voiced((1.0, 2.0, -26.0), length_s=3.0), voiced(length_s=3.0), answered_after_s=6.0)
    key = path.parent.parent / KEY_FILE
    elsewhere = tmp_path / "elsewhere" / "call.sealed"
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    assert main(["analyze", str(elsewhere), "--key", str(key)]) == 0
    assert "+862155550101" in capsys.readouterr().out
    key.rename(tmp_path / "kept")
    assert main(["analyze", str(elsewhere)]) == 2
    assert "4020" in capsys.readouterr().err
    other = read_or_make_key(tmp_path / "other")
    assert len(other) == 32
    assert main(["analyze", str(elsewhere), "--key", str(tmp_path / "other")]) == 2
    assert "4021" in capsys.readouterr().err
    content = bytearray(elsewhere.read_bytes())
    elsewhere.write_bytes(content[:-1])
    assert main(["analyze", str(elsewhere), "--key", str(tmp_path / "kept")]) == 2
    assert "4023" in capsys.readouterr().err
    content[200] ^= 4
    elsewhere.write_bytes(content)
    assert main(["analyze", str(elsewhere), "--key", str(tmp_path / "kept")]) == 2
    assert "4022" in capsys.readouterr().err


def test_a_recording_gives_every_figure_of_the_live_call(tmp_path: Path) -> None:
    """Tones, turns, pace and noise too; only what the agent's own requests said stays with the live call."""
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    ringback = np.round(3000 * np.sin(2 * np.pi * 450 * time_s)).astype(np.int16)
    agent = voiced((1.0, 4.0, -30.0), (7.5, 10.0, -30.0), (23.5, 25.0, -30.0), length_s=26.0)
    customer = voiced((5.0, 10.0, -24.0), length_s=26.0)
    for at_s in (13, 18):
        customer[at_s * SAMPLE_RATE_HZ : (at_s + 1) * SAMPLE_RATE_HZ] += ringback
    records = live_records(tmp_path / "call.wav", agent, customer, 6.0)
    report = analyze(tmp_path / "call.wav", Settings())
    live = build(CallDetail(call=report.call, verdicts=report.verdicts), records, Settings())
    assert [tone.tone for tone in live.tones] == ["ringback", "ringback"]
    assert {stretch.kind for stretch in live.stretches} >= {"overlap", "dead_air"}

    def heard(of: Report) -> dict[str, Any]:
        figures = of.to_json()
        for thing in (*figures["tones"], *figures["stretches"], *figures["spurts"]):
            del thing["event"]  # the journal's own number
        names = ("tones", "stretches", "spurts", "voice", "agent_voice", "customer_voice", "shared", "series")
        return {name: figures[name] for name in names}

    assert heard(report) == heard(live)
    assert report.agent_voice is not None


def test_the_report_of_a_recording_shows_the_call(tmp_path: Path) -> None:
    agent = voiced((1.0, 6.0, -26.0), length_s=8.0)
    live_call(tmp_path / "call.wav", agent, voiced(length_s=8.0), answered_after_s=6.0)
    report = analyze(tmp_path / "call.wav", Settings())
    assert report.signalled
    assert report.call.number == "+862155550101"
    assert report.call.rings_heard == 2
    assert report.call.wait_s == pytest.approx(6.0)
    assert report.call.started_utc == "2026-03-02T08:15:04.500Z"
    assert report.call.answered_utc == "2026-03-02T08:15:10.520Z"
    assert report.answered_at_s == pytest.approx(6.02)
    assert report.greeting_s is not None
    assert 1.0 < report.greeting_s < 1.4  # the detector's notice of a voice that sets in softly
    assert report.codec == "G722"


def test_digits_beside_the_sound_are_in_its_recording_and_those_that_came_both_ways_once(
    tmp_path: Path,
) -> None:
    usual = Settings()
    settings = replace(usual, norms=replace(usual.norms, survey=SurveySettings(enabled=True)))
    customer = voiced((3.0, 6.0, -24.0), length_s=20.0)
    time_s = np.arange(SAMPLE_RATE_HZ // 10) / SAMPLE_RATE_HZ
    tone = sum(4000.0 * np.sin(2 * np.pi * hz * time_s) for hz in (697.0, 1336.0))  # the 2
    begins = 12 * SAMPLE_RATE_HZ
    customer[begins : begins + len(time_s)] = np.rint(tone).astype(np.int16)
    during = [
        AgentRequested(at_s=10.0, call_id=CALL_ID, action="hangup"),
        Dtmf(at_s=12.0, call_id=CALL_ID, side="customer", digit="2", method="event"),
        Dtmf(at_s=14.0, call_id=CALL_ID, side="customer", digit="9", method="info"),
    ]
    path = tmp_path / "call.wav"
    agent = voiced((1.0, 2.5, -26.0), length_s=20.0)
    records = live_records(path, agent, customer, 6.0, during=during, settings=settings)
    live = [record.event for record in records if isinstance(record.event, Verdict)]
    report = analyze(path, settings)
    assert without_numbers(report.verdicts) == without_numbers(live)
    assert {verdict.rule: verdict.value for verdict in live}["customer.survey"] == 2.0
    assert [(key.digit, key.method) for key in report.keys] == [("2", "event"), ("9", "info")]


def test_a_recording_of_a_call_that_never_ended_is_judged_as_interrupted(tmp_path: Path) -> None:
    agent = voiced((1.0, 6.0, -26.0), length_s=8.0)
    live_call(tmp_path / "call.wav", agent, voiced(length_s=8.0), answered_after_s=6.0, ended=False)
    report = analyze(tmp_path / "call.wav", Settings())
    assert report.call.cause == "interrupted"
    assert [verdict.rule for verdict in report.verdicts] == RULES[:-1], "call.dropped comes later"


def test_a_recording_of_a_call_of_ours_tells_why_and_when_it_was_dialled(tmp_path: Path) -> None:
    path = tmp_path / f"{CALL_ID}.wav"
    agent, customer = (voiced((0.5, 3.0, -26.0), length_s=5.0) for _ in range(2))
    live = live_records(path, agent, customer, 3.0, outgoing=True)
    found = {verdict.rule: verdict for verdict in analyze(path, Settings()).verdicts}
    for record in live:
        if isinstance(record.event, Verdict) and record.event.rule.startswith("outbound."):
            again = found[record.event.rule]
            assert (again.verdict, again.reason) == (record.event.verdict, record.event.reason)
    assert (found["outbound.hours"].verdict, found["outbound.prepared"].verdict) == ("warned", "met")


def foreign(path: Path, rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    agent = voiced((0.8, 5.0, -24.0), (9.0, 13.0, -24.0), length_s=15.0)
    customer = voiced((5.5, 8.5, -30.0), length_s=15.0)
    step = SAMPLE_RATE_HZ // rate_hz
    soundfile.write(path, np.stack((agent, customer), axis=1)[::step], rate_hz)
    return path


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_a_foreign_recording_starts_at_the_answer(tmp_path: Path, rate_hz: int) -> None:
    report = analyze(foreign(tmp_path / "talk.wav", rate_hz), Settings())
    verdicts = {verdict.rule: verdict for verdict in report.verdicts}
    assert verdicts["answer.rings"].verdict == "not_applicable"
    assert verdicts["answer.rings"].reason == "the recording carries no signalling"
    assert verdicts["answer.greeting"].value == pytest.approx(0.8, abs=0.1)
    assert verdicts["voice.level"].verdict == "met"
    assert not report.signalled
    assert report.rings == ()
    assert report.moments == () or all(moment.kind != "request" for moment in report.moments)
    assert report.call.started_utc == report.call.cause == ""


def test_the_time_the_file_was_read_in_changes_nothing(tmp_path: Path) -> None:
    path = foreign(tmp_path / "talk.wav")
    steps: list[float] = []
    told = analyze(path, Settings(), lambda done_s, whole_s: steps.append(done_s / whole_s))
    assert told == analyze(path, Settings())
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


@pytest.mark.parametrize(
    "facts",
    [
        b"no base64 \xff",
        base64.b64encode(b"not deflated"),
        base64.b64encode(zlib.compress(b"{")),
        base64.b64encode(zlib.compress(b"17")),
        base64.b64encode(zlib.compress(b"[17]")),
        base64.b64encode(zlib.compress(b'[{"kind": "call_answered"}]')),
        base64.b64encode(zlib.compress(json.dumps([ANSWERED_FIRST]).encode())),
    ],
)
def test_damaged_facts_are_refused_by_number(tmp_path: Path, facts: bytes) -> None:
    path = tmp_path / "call.wav"
    with soundfile.SoundFile(path, "w", 16000, 2, "PCM_16") as file:
        file.comment = COMMENT_TAG + facts.decode("latin-1")
        file.write(np.zeros((3200, 2), np.int16))
    with pytest.raises(MediaError) as refused:
        analyze(path, Settings())
    assert refused.value.code == 4000


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["analyze", *(str(argument) for argument in arguments)])
    return int(args.function(args))


def test_the_command_prints_text_or_json_or_writes_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = foreign(tmp_path / "talk.wav")
    assert command(path) == 0
    said = capsys.readouterr()
    assert "Recording talk.wav" in said.out
    assert said.err == ""
    assert command(path, "--text", "--language", "zh") == 0
    assert "录音 talk.wav" in capsys.readouterr().out
    assert command(path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["recording"] == "talk.wav"
    assert command(path, "--html", tmp_path / "talk.html") == 0
    assert capsys.readouterr().out == ""
    assert "<svg" in (tmp_path / "talk.html").read_text("utf-8")


def test_progress_goes_to_the_error_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(foreign(tmp_path / "talk.wav"), "--json", "--progress") == 0
    said = capsys.readouterr()
    assert said.err.endswith("analyzed 15 of 15 s\n")
    json.loads(said.out)


def test_settings_are_obeyed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[norms.answer]\ngreeting_limit_s = 0.5\n")
    assert command(foreign(tmp_path / "talk.wav"), "--json", "--settings", file) == 0
    verdicts = json.loads(capsys.readouterr().out)["verdicts"]
    assert {v["rule"]: v["verdict"] for v in verdicts}["answer.greeting"] == "breached"


def test_a_page_that_cannot_be_written_is_refused_by_number(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        command(foreign(tmp_path / "talk.wav"), "--html", tmp_path / "nowhere" / "talk.html")
    assert refused.value.code == 5008


def test_derived_events_are_numbered_among_the_facts_in_the_order_of_time() -> None:
    facts: list[Event] = [
        CallIncoming(at_s=0.0, call_id="c", number="1"),
        CallAlerting(at_s=0.1, call_id="c"),
        AgentRequested(at_s=11.0, call_id="c", action="answer"),
        CallAnswered(at_s=11.1, call_id="c"),
        CallEnded(at_s=20.0, call_id="c", by="customer", cause="hangup"),
    ]
    records: list[Record] = judged(facts, desk_settings(Settings()), str)
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    times = [record.event.at_s for record in records]
    assert times == sorted(times)
    rings = [record.event.at_s for record in records if record.event.kind == "ring_burst"]
    assert rings == pytest.approx([0.1, 5.1, 10.1])


def test_the_appliances_command_knows_it_and_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "mono.wav", np.zeros(1600), 16000)
    assert main(["analyze", str(tmp_path / "mono.wav")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "error 4000: " in said.err
    assert "needs two channels" in said.err
    assert main(["analyze", str(foreign(tmp_path / "talk.wav"))]) == 0
