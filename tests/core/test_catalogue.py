"""The prompt catalogues: both languages complete, conditions and names as they should be."""

import json
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from thirdring.protocol.errors import StorageError
from thirdring_device.adapters.calendar import festival, holiday
from thirdring_device.adapters.prompts import load_catalogue
from thirdring_device.core.call import Call
from thirdring_device.core.catalogue import LANGUAGES, Situation, read_catalogue
from thirdring_device.core.judged import DeskSettings, JudgedCall

NAMES = {"firm": "海天公司", "department": "客服部", "agent": "李雷"}


def says(key: str, language: str = "zh", at: time = time(14, 0), **about: Any) -> str:
    return load_catalogue(language).text(key, Situation(at=at, **{**NAMES, **about}))


def test_every_prompt_of_every_norm_is_in_both_languages() -> None:
    judged = JudgedCall(Call("a", 1), DeskSettings(5.0))
    keys = {key for norm in (*judged.norms, *judged.late) for key in norm.prompts}
    chinese, english = (load_catalogue(language) for language in LANGUAGES)
    assert keys <= set(chinese)
    assert list(chinese) == list(english)
    for key in chinese:
        assert [v.when for v in chinese.variants(key)] == [v.when for v in english.variants(key)]


@pytest.mark.parametrize(
    ("about", "opener"),
    [
        ({}, "您好，海天公司客服部，我是李雷，请问有什么可以帮您？"),
        ({"at": time(9, 59, 59)}, "早上好，海天公司客服部，我是李雷，请问有什么可以帮您？"),
        ({"at": time(10, 0)}, "您好，海天公司客服部，我是李雷，请问有什么可以帮您？"),
        ({"name": "王芳"}, "王芳您好，海天公司客服部，我是李雷，请问有什么可以帮您？"),
        ({"line": "internal", "at": time(9, 0)}, "您好，客服部李雷。"),
        ({"holiday": "国庆节"}, "国庆节快乐！海天公司客服部，我是李雷，请问有什么可以帮您？"),
    ],
)
def test_openers_follow_hour_line_caller_and_holiday(about: dict[str, Any], opener: str) -> None:
    assert says("opener", **about) == opener


def test_english_openers() -> None:
    names: dict[str, Any] = {"firm": "Haitian", "department": "Service", "agent": "Li Lei"}
    assert says("opener", "en", time(8, 0), **names).startswith("Good morning! Haitian, Service, Li Lei")
    late = says("opener_late", "en", **names, name="Ms Wang")
    assert late.startswith("Hello, Ms Wang, thank you for waiting! Haitian")


def test_names_that_nobody_filled_in_leave_no_holes() -> None:
    empty = Situation(at=time(14, 0))
    english = load_catalogue("en").text("opener", empty)
    assert english.startswith("Hello!")
    for language in LANGUAGES:
        for key in load_catalogue(language):
            text = load_catalogue(language).text(key, empty)
            assert "{" not in text
            assert ", ," not in text
            assert "，，" not in text


@pytest.mark.parametrize(
    ("name", "surname"), [("王芳", "王"), ("欧阳修", "欧阳"), ("Wang Fang", "Wang Fang"), ("", "")]
)
def test_surnames(name: str, surname: str) -> None:
    assert Situation(at=time(), name=name).surname == surname


def test_public_holidays_of_china_in_both_languages() -> None:
    assert holiday("CN", date(2026, 10, 1), "zh") == "国庆节"
    assert holiday("CN", date(2026, 10, 1), "en") == "National Day"
    assert holiday("CN", date(2026, 2, 17), "zh").startswith("春节")
    assert holiday("CN", date(2026, 5, 6)) == ""
    assert festival(holiday("CN", date(2026, 5, 4), "zh")) == "劳动节"
    for sober in (date(2026, 1, 2), date(2026, 4, 5)):
        for language in LANGUAGES:
            assert holiday("CN", sober, language)
            assert festival(holiday("CN", sober, language)) == ""
    assert holiday("XX", date(2026, 1, 1)) == ""


def test_a_team_replaces_keys_and_adds_some(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    own = {"opener": [{"text": "{firm}，{agent}。"}], "ours": [{"text": "新的"}]}
    (tmp_path / "prompts" / "zh.json").write_text(json.dumps(own), encoding="utf-8")
    catalogue = load_catalogue("zh", tmp_path)
    situation = Situation(at=time(9, 0), firm="海天公司", agent="李雷")
    assert catalogue.text("opener", situation) == "海天公司，李雷。"
    assert catalogue.text("ours", situation) == "新的"
    assert catalogue.text("too_loud", situation) == "请放低声音。"
    assert catalogue.text("unheard_of", situation) == "unheard_of"


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        '{"a": []}',
        '{"a": [{"text": ""}]}',
        '{"a": [{"text": "{password}"}]}',
        '{"a": [{"text": "{firm.__class__}"}]}',
        '{"a": [{"text": "{firm!r}"}]}',
        '{"a": [{"text": "{"}]}',
        '{"a": [{"text": "x", "when": {"hours": "9-10"}}, {"text": "y"}]}',
        '{"a": [{"text": "x", "when": {"mood": "good"}}, {"text": "y"}]}',
        '{"a": [{"text": "x", "when": {"line": "internal"}}]}',
        '{"a": [{"text": "x"}, {"text": "y"}]}',
        '{"a": [{"text": "x", "more": 1}]}',
    ],
)
def test_a_wrong_catalogue_is_refused_with_its_place(wrong: str) -> None:
    with pytest.raises(StorageError, match=r"5009.*own"):
        read_catalogue(wrong, "own")
