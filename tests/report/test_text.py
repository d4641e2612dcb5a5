"""The report for a terminal."""

import pytest

from tests.report import factory
from thirdring_device.report import build
from thirdring_device.report.axis import display_width


def test_it_says_the_figures_of_the_model() -> None:
    said = build(*factory.answered_call()).to_text()
    for line in (
        "Incoming call from 李伟 <Wei & Co> (+862155550101)",
        "  Met     Answered within three rings     2 rings heard by the caller, 3 rings allowed",
        "  Warned  Neither too loud nor too quiet  9.6 % of the speech outside the band, 20.0 % allowed",
        "  First word    1.20 s  after the answer",
        "  Agent after AGC            -26.4 dBov    47.1 %         20.9 s   -9.4 dBov                2",
    ):
        assert line in said.splitlines()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_columns_line_up_in_terminal_cells(language: str) -> None:
    lines = build(*factory.answered_call()).to_text(language).splitlines()
    table = [line for line in lines if "dBov" in line and line.startswith("  ") and "#" not in line]
    rows = [line for line in table if line.count("dBov") == 2 and ";" not in line]
    assert len(rows) == 3
    assert len({display_width(row) for row in rows}) == 1
    assert len({display_width(row[: row.index("dBov")]) for row in rows}) == 1


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", [factory.answered_call, factory.cancelled_call, factory.foreign_recording])
def test_no_line_ends_in_a_space_and_no_colour_unless_asked(language: str, case: object) -> None:
    report = build(*case())  # type: ignore[operator]
    said = report.to_text(language)
    assert "\x1b" not in said
    assert all(line == line.rstrip() for line in said.splitlines())
    assert "\x1b[" in report.to_text(language, colour=True)


def test_colour_changes_nothing_but_colour() -> None:
    import re

    report = build(*factory.answered_call())
    assert re.sub(r"\x1b\[\d+m", "", report.to_text(colour=True)) == report.to_text()


def test_the_strip_shows_rings_answer_keys_and_end() -> None:
    said = build(*factory.answered_call()).to_text()
    strip = said[said.index("Course of the call") :].splitlines()[1]
    assert "".join(strip.split()) == "12A4E"


def test_a_call_cancelled_while_ringing() -> None:
    said = build(*factory.cancelled_call()).to_text()
    assert "Incoming call, number withheld" in said
    assert "cancelled while ringing, by the customer (SIP 487)" in said
    assert "from first ring to end" in said
    assert "Levels" not in said


def test_a_recording_without_signalling() -> None:
    report = build(*factory.foreign_recording(), recording="talk.wav", signalled=False)
    assert "Recording talk.wav" in report.to_text()
    assert "录音中没有信令信息" in report.to_text("zh")


def test_tones_turns_pace_and_noise_are_said() -> None:
    said = build(*factory.call_with_figures()).to_text().splitlines()
    joined = [" ".join(line.split()) for line in said]
    for line in (
        "Agent 4.6 syllables/s 17.3 s -63.4 dBov 27.4 dB",
        "Customer 5.3 syllables/s 14.9 s silent -",
        "times the customer was talked over 1",
        "10.74 s #9000 Heard: Fax calling tone (CNG), -19.8 dBm0",
        "14.24 s #9002 Heard: Fax answering tone (/ANSam), -12.1 dBm0",
        "19.24 s #9004 The agent talks over the customer",
        "28.24 s #9006 Nobody speaks for 12.5 s",
        "46.24 s #9008 Heard: Busy tone, -14.0 dBm0",
    ):
        assert line in joined, line
    assert "听到忙音" in build(*factory.call_with_figures()).to_text("zh")


def test_a_call_of_an_older_version_has_no_such_section() -> None:
    said = build(*factory.answered_call()).to_text()
    assert "Pace and noise" not in said
    assert "dead air" not in said
