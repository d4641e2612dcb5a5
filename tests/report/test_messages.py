"""The catalogue: complete, in step with the code, and with the units right."""

import re
from importlib.resources import files

import pytest

from thirdring_device.report.messages import LANGUAGES, PLACEHOLDER, catalogue, rule_name, words

NORMS = [
    "answer.rings",
    "answer.late_opener",
    "answer.greeting",
    "answer.silent_call",
    "answer.weak_caller",
    "answer.noisy_caller",
    "voice.level",
    "voice.noise",
    "voice.rate",
    "voice.interrupting",
    "voice.calm",
    "voice.mute_pause",
    "voice.dead_air",
    "hold.check_in",
    "call.length",
    "call.release",
    "call.dropped",
    "call.notes",
    "transfer.consent",
    "outbound.hours",
    "outbound.prepared",
    "agent.break",
    "customer.survey",
]


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_each_message_is_there_in_both_languages_with_the_same_holes(key: str) -> None:
    columns = catalogue()[key]
    assert len(columns) == len(LANGUAGES)
    assert all(columns)
    assert len({tuple(sorted(PLACEHOLDER.findall(column))) for column in columns}) == 1


def test_each_message_the_code_names_is_in_the_catalogue() -> None:
    folder = files("thirdring_device.report")
    used = set()
    for module in folder.iterdir():
        if module.name.endswith(".py"):
            used |= set(re.findall(r'(?:words|text|self)\(\s*"([a-z_.]+)"', module.read_text("utf-8")))
    assert len(used) > 40
    assert used <= set(catalogue())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_norm_has_a_name(language: str) -> None:
    assert all(rule_name(rule, language) != rule for rule in NORMS)


def test_a_norm_newer_than_the_catalogue_goes_by_its_id() -> None:
    assert rule_name("answer.tomorrow", "zh") == "answer.tomorrow"


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(ValueError, match="not one of en, zh"):
        words("fr")


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (1.0, "rings", "1 ring", "1 声"),
        (3.0, "rings", "3 rings", "3 声"),
        (1.2, "s", "1.20 s", "1.20 秒"),
        (192.0, "s", "3 min 12 s", "3 分 12 秒"),
        (3725.0, "s", "1 h 02 min", "1 小时 02 分"),
        (9.64, "%", "9.6 %", "9.6 %"),
        (-26.04, "dBov", "-26.0 dBov", "-26.0 dBov"),
        (-100.0, "dBov", "silent", "无声"),
        (6.0, "dB", "6.0 dB", "6.0 dB"),
        (4.5, "syllables/s", "4.5 syllables/s", "4.5 音节/秒"),
        (1.0, "times", "1 time", "1 次"),
        (3.0, "steps", "3 steps", "3 步"),
        (None, "s", "-", "-"),
    ],
)
def test_quantities(value: float | None, unit: str, english: str, chinese: str) -> None:
    assert words("en").quantity(value, unit) == english
    assert words("zh").quantity(value, unit) == chinese


def test_a_minute_is_not_sixty_seconds() -> None:
    assert words("en").duration(59.96) == "1 min 00 s"


def test_the_cores_reasons_are_translated() -> None:
    zh = words("zh")
    assert zh.reason("not answered: ended after 2 rings") == "未接听：响铃 2 声后结束"
    assert zh.reason("less than 3 s of speech") == "语音不足 3 秒"
    assert zh.reason("something new") == "something new"


def test_what_the_core_says_is_in_the_catalogue() -> None:
    prompts, reasons = set(), set()
    for module in files("thirdring_device.core.norms").iterdir():
        if module.name.endswith(".py"):
            text = module.read_text("utf-8")
            prompts |= set(re.findall(r'key="(\w+)"', text))
            reasons |= set(re.findall(r'reason(?: =|=)\s*"([^"{]+)"', text))
    assert len(prompts) >= 8
    assert len(reasons) >= 12
    assert {f"prompt.{key}" for key in prompts} <= set(catalogue())
    assert {reason for reason in reasons if words("zh").reason(reason) == reason} == set()
