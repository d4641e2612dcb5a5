"""The report as a page: well formed, self-contained, escaped, with the model's figures in it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.report import factory
from thirdring.protocol.events import Overlap, Record
from thirdring.protocol.views import CallDetail
from thirdring_device.report import Report, build
from thirdring_device.report.axis import Axis
from thirdring_device.report.markup import VOID

CASES: dict[str, Callable[[], tuple[CallDetail, list[Record]]]] = {
    "answered": factory.answered_call,
    "late": lambda: factory.answered_call(answered_s=16.4, first_word_s=2.9),
    "live": lambda: factory.answered_call(live=True),
    "cancelled": factory.cancelled_call,
    "foreign": factory.foreign_recording,
    "figures": factory.call_with_figures,
}


class Reader(HTMLParser):
    """Reads a page, insisting that each element ends where it should."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def pictures(page: str) -> list[ElementTree.Element]:
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return [ElementTree.fromstring(text) for text in found]  # noqa: S314 - our own text


@pytest.fixture(params=sorted(CASES))
def report(request: pytest.FixtureRequest) -> Report:
    return build(*CASES[request.param]())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_well_formed_and_asks_for_nothing_else(report: Report, language: str) -> None:
    page = report.to_html(language)
    reader = read(page)
    assert not {"script", "img", "link", "iframe", "object", "embed"} & set(reader.names)
    assert not {"src", "href", "srcset", "data"} & {name for name, _ in reader.attributes}
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "//" not in page


def test_every_id_is_there_once_and_every_reference_is_met(report: Report) -> None:
    attributes = read(report.to_html()).attributes
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    named = {word for name, value in attributes if name == "aria-labelledby" for word in value.split()}
    assert named <= set(ids)


def test_pictures_have_a_title_and_a_description(report: Report) -> None:
    for picture in pictures(report.to_html()):
        assert picture.get("role") == "img"
        assert picture[0].tag == "title"
        assert picture[1].tag == "desc"
        assert picture[1].text


def test_nothing_stands_outside_its_picture(report: Report) -> None:
    for picture in pictures(report.to_html()):
        width, height = (float(value) for value in (picture.get("viewBox") or "").split()[2:])
        for item in picture.iter():
            x, y = float(item.get("x", 0)), float(item.get("y", 0))
            assert 0 <= x + float(item.get("width", 0)) <= width
            assert 0 <= y + float(item.get("height", 0)) <= height


def test_the_language_is_declared_and_kept() -> None:
    report = build(*factory.answered_call())
    page = report.to_html("zh")
    assert '<html lang="zh-CN">' in page
    assert "三声内接听" in page
    assert "Answered" not in "".join(read(page).texts)


def test_text_from_outside_is_escaped() -> None:
    detail, records = factory.answered_call()
    page = build(detail, records, recording='"><script>alert(1)</script>.wav').to_html()
    assert "李伟 &lt;Wei &amp; Co&gt;" in page
    assert "<script" not in page
    read(page)


def test_the_figures_are_the_models() -> None:
    report = build(*factory.answered_call(answered_s=8.2, first_word_s=1.16))
    said = " ".join(read(report.to_html()).texts)
    for figure in ("2 rings", "8.15 s", "1.20 s", "-26.4 dBov", "-36.0 dBov before AGC", "9.6 %"):
        assert figure in said
    assert report.talk is not None
    assert f"{report.talk.percent(report.talk.agent_s):.1f} %" in said


def test_each_talk_spurt_is_drawn_where_it_was_heard() -> None:
    report = build(*factory.answered_call())
    course = pictures(report.to_html())[-1]
    drawn = [item for item in course.iter("rect") if (item.get("class") or "").startswith("spurt")]
    assert len(drawn) == len(report.spurts)
    axis = Axis(report.duration_s, 78.0, 986.0)
    expected = sorted(axis.x(spurt.start_s) for spurt in report.spurts)
    assert sorted(float(item.get("x", 0)) for item in drawn) == pytest.approx(expected, abs=0.06)


def test_the_band_is_drawn_in_both_lanes_at_its_levels() -> None:
    course = pictures(build(*factory.answered_call()).to_html())[-1]
    bands = [item for item in course.iter("rect") if item.get("class") == "band"]
    assert len(bands) == 2
    assert [float(band.get("height", 0)) for band in bands] == pytest.approx([104 * 12 / 60] * 2, abs=0.06)


def test_every_ring_is_numbered_in_the_answering_picture() -> None:
    page = build(*factory.answered_call(answered_s=16.4)).to_html()
    marks = [item.text for item in pictures(page)[0].iter("text") if item.get("class") == "in middle"]
    assert marks == ["1", "2", "3", "4"]
    assert "ring 4: late" in page


def test_a_call_without_rings_has_no_answering_picture() -> None:
    assert len(pictures(build(*factory.foreign_recording()).to_html())) == 1


def test_a_call_without_sound_has_no_lanes() -> None:
    course = pictures(build(*factory.cancelled_call()).to_html())[-1]
    assert not [item for item in course.iter("rect") if item.get("class") == "band"]


def test_an_hour_stays_small() -> None:
    report = build(*factory.answered_call(talk_s=3600.0))
    assert len(report.to_html("zh").encode()) < 200_000


def test_marks_are_shown_in_the_tables_too() -> None:
    report = build(*factory.answered_call())
    tables = re.findall(r"<table>.*?</table>", report.to_html(), re.DOTALL)
    said = " ".join(" ".join(read(table).texts) for table in tables)
    for line in ("Ring 2 begins", "Prompt shown: Too quiet", "Customer pressed 4", "Ended: hung up"):
        assert line in said
    spurts = sum(table.count("<td>Agent</td>") + table.count("<td>Customer</td>") for table in tables)
    assert spurts == len(report.spurts) + 1  # and the customer's row of the levels


def test_tones_turns_pace_and_noise_are_shown() -> None:
    page = build(*factory.call_with_figures()).to_html()
    blocks = [
        item for item in pictures(page)[-1].iter("rect") if (item.get("class") or "").startswith("block")
    ]
    assert sorted(item.get("class") or "" for item in blocks) == [
        "block dead_air",
        "block overlap",
        *["block tone customer"] * 3,
    ]
    axis = Axis(53.2, 78.0, 986.0)
    starts = sorted(8.24 + start_s for start_s in (2.5, 6.0, 11.0, 20.0, 38.0))
    assert sorted(float(item.get("x", 0)) for item in blocks) == pytest.approx(
        [axis.x(start_s) for start_s in starts], abs=0.06
    )
    said = " ".join(read(page).texts)
    for figure in ("4.6 syllables/s", "5.3 syllables/s", "-63.4 dBov", "27.4 dB", "12.5 s", "♪"):
        assert figure in said


def test_hundreds_of_overlaps_are_one_path() -> None:
    detail, records = factory.answered_call(talk_s=600.0)
    overlaps = [
        Record(
            9000 + i,
            "2026-03-02T08:16:00Z",
            Overlap(
                at_s=factory.BEGAN_AT_S + 9.0 + 2 * i,
                call_id=factory.CALL_ID,
                side="agent",
                start_s=2.0 * i,
                end_s=2.0 * i + 0.5,
            ),
        )
        for i in range(200)
    ]
    course = pictures(build(detail, [*records, *overlaps]).to_html())[-1]
    assert len([item for item in course.iter() if item.get("class") == "block overlap"]) == 1
