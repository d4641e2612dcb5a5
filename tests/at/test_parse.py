"""Command lines, parameters, dial strings and the way results are written."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdring.protocol.at.dial import DialString, dial_string
from thirdring.protocol.at.host import AnswerReader, is_final
from thirdring.protocol.at.parse import AtSyntaxError, Op, Request, requests
from thirdring.protocol.at.results import CME_TEXTS, Style, cme_error
from thirdring.protocol.at.table import TABLE
from thirdring.protocol.at.values import (
    Parameter,
    address_type,
    fields,
    parameters,
    phone_number,
    quoted,
    safe_json,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("E0V1", [Request("E"), Request("V", number=1)]),
        (
            " S7=45 S0=0 L1 V1 X4 &c1 E1 Q0",
            [
                Request("S", Op.SET, 7, "45"),
                Request("S", Op.SET, 0, "0"),
                Request("L", number=1),
                Request("V", number=1),
                Request("X", number=4),
                Request("&C", number=1),
                Request("E", number=1),
                Request("Q"),
            ],
        ),
        ("S0?", [Request("S", Op.READ, 0)]),
        ("dt 0123 456;", [Request("D", argument="t0123456;")]),
        (
            "H+CLIP=1;+CLCC;E0",
            [Request("H"), Request("+CLIP", Op.SET, 0, "1"), Request("+CLCC"), Request("E")],
        ),
        ("+VTS=1;+vts=2", [Request("+VTS", Op.SET, 0, "1"), Request("+VTS", Op.SET, 0, "2")]),
        ("+CLIP?;+CLIP=?", [Request("+CLIP", Op.READ), Request("+CLIP", Op.TEST)]),
        ('#SPEAK="a; b"', [Request("#SPEAK", Op.SET, 0, '"a; b"')]),
        ("+CMEE=", [Request("+CMEE", Op.SET)]),
    ],
)
def test_a_line_is_read(line: str, expected: list[Request]) -> None:
    assert list(requests(line)) == expected


@pytest.mark.parametrize("line", ["!", "+", "#1", "S", "E?", '#SPEAK="x', "+CLIP?1", "&", "+CLIP+CLCC", "早"])
def test_nonsense_is_a_syntax_error(line: str) -> None:
    with pytest.raises(AtSyntaxError):
        list(requests(line))


def test_what_stands_before_a_mistake_is_read_first() -> None:
    found = requests("E0!")
    assert next(found) == Request("E")
    with pytest.raises(AtSyntaxError):
        next(found)


@given(st.text(max_size=80))
def test_any_line_is_read_or_refused(line: str) -> None:
    with contextlib.suppress(AtSyntaxError):
        list(requests(line))


@given(st.text(max_size=60))
def test_any_argument_is_split_or_refused(argument: str) -> None:
    with contextlib.suppress(AtSyntaxError):
        parameters(argument)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_string_survives_its_quoting(text: str) -> None:
    (request,) = requests(f"#SYNC={quoted(text)}")
    assert parameters(request.argument) == [Parameter(text, quoted=True)]


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4))
def test_json_passes_through_a_line(value: dict[str, str]) -> None:
    (request,) = requests(f"#DO={safe_json(value)}")
    assert json.loads(request.argument) == value


def test_parameters_are_split_outside_quotes_and_braces() -> None:
    assert parameters('1,"a,b",,{5,3}') == [
        Parameter("1"),
        Parameter("a,b", quoted=True),
        Parameter(""),
        Parameter("{5,3}"),
    ]


def test_fields_are_fixed_and_comma_separated() -> None:
    assert fields(["a,b", 3, 2.5, None, True]) == '"a,b",3,2.50,,1'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0123;", DialString("0123", voice=True)),
        ("T0123", DialString("0123", voice=False)),
        ("+86 (21) 555-1234;", DialString("+86215551234", voice=True)),
        ("123I;", DialString("123", voice=True, withheld=True)),
        ("123i;", DialString("123", voice=True, withheld=False)),
        ("L;", DialString("", voice=True, redial=True)),
        ("12AB", DialString("12AB", voice=False)),
    ],
)
def test_dial_strings(text: str, expected: DialString) -> None:
    assert dial_string(text) == expected


@pytest.mark.parametrize("text", [">1;", "123;H"])
def test_dial_strings_that_are_refused(text: str) -> None:
    with pytest.raises(AtSyntaxError):
        dial_string(text)


def test_numbers_a_client_would_choke_on_read_as_none() -> None:
    assert [phone_number(text) for text in ("+8621", "0123", "alice", "", "12#", "٣")] == [
        "+8621",
        "0123",
        "",
        "",
        "",
        "",
    ]
    assert (address_type("+1"), address_type("1"), address_type("")) == (145, 129, 129)


def test_results_in_words_numbers_and_silence() -> None:
    assert Style().information(["a", "b"]) + Style().result("OK") == "\r\na\r\nb\r\n\r\nOK\r\n"
    assert Style(words=False).information(["a"]) + Style(words=False).result("NO CARRIER") == "a\r\n3\r"
    assert Style(quiet=True).information(["a"]) + Style(quiet=True).result("OK") == "\r\na\r\n"
    assert Style(words=False).result("+CME ERROR: 3") == "+CME ERROR: 3\r"
    assert Style().information([]) == ""


def test_failures_as_the_host_asked_for_them() -> None:
    assert [cme_error(30, level) for level in (0, 1, 2)] == [
        "ERROR",
        "+CME ERROR: 30",
        "+CME ERROR: no network service",
    ]
    assert 100 in CME_TEXTS


def test_the_table_is_sound() -> None:
    for name, spec in TABLE.items():
        assert name == name.upper()
        assert set(spec.forms) <= set("arts")
        assert ("t" in spec.forms) == (name[0] in "+#")
        assert "\n" not in spec.help
        assert spec.help


def test_the_host_reads_lines_however_cut_and_drops_a_flood() -> None:
    reader = AnswerReader(max_line=10)
    assert reader.feed(b"\r\nOK") == []
    assert reader.feed(b"\r\n\r\nRI") == ["OK"]
    assert reader.feed(b"NG\r" + b"x" * 50) == ["RING"]
    assert reader.feed(b"x\r\nOK\r\n") == ["OK"]
    assert is_final("OK")
    assert is_final("+CME ERROR: 3")
    assert not is_final("+CLCC: 1")
