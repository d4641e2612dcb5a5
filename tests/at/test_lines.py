"""The line assembler: prefixes, ends, editing, bounds, noise."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdring.protocol.at.lines import MAX_LINE, Item, Line, LineAssembler, Repeat, TooLong


def feed(data: bytes) -> list[Item]:
    return list(LineAssembler().feed(data))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"AT\r", ""),
        (b"at+clip=1\r", "+clip=1"),
        (b"AT\n", ""),
        (b"ATZ\r\n", "Z"),
        (b"\n\x1bATZ\r", "Z"),
        (b"+++ATH\r", "H"),
        (b"\xff\x00\xfeATH\r", "H"),
        (b"ATHX\x08\r", "H"),
        (b"ATH\xe6\x97\xa9\x7f\r", "H"),
        (b"AT\x08\x08H\r", "H"),
        (b"AT\x11H\x00\r", "H"),
        (b"ATD123\x1bATH\r", "H"),
        (b"ATD123\x15  ATH\r", "H"),
        (b'AT#SPEAK="\xe6\x97\xa9"\r', '#SPEAK="早"'),
    ],
)
def test_a_line_is_found(data: bytes, text: str) -> None:
    assert feed(data) == [Line(text)]


@pytest.mark.parametrize(
    "data", [b"\r\n\r\n", b"hello\r", b'#STATE: "1"\r', b'{"at_s":1}\r', b"aTZ\r", b"T\rA\rT\r", b"AT"]
)
def test_what_is_no_command_line_is_ignored(data: bytes) -> None:
    assert feed(data) == []


def test_repeat_needs_no_terminator() -> None:
    assert feed(b"ATA\rA/a/") == [Line("A"), Repeat(), Repeat()]


def test_crlf_makes_one_line_each() -> None:
    assert feed(b"ATE0\r\nATV1\r\n") == [Line("E0"), Line("V1")]


def test_s3_and_s5_count_from_the_next_byte() -> None:
    assembler = LineAssembler()
    items = []
    for item in assembler.feed(b"ATS3=59\rATHX_\x3bATZ\x3b"):
        items.append(item)
        assembler.end, assembler.erase = 0x3B, ord("_")
    assert items == [Line("S3=59"), Line("H"), Line("Z")]


def test_the_longest_line_passes_and_a_longer_one_is_reported_once() -> None:
    longest = b"D" + b"1" * (MAX_LINE - 1)
    assert feed(b"AT" + longest + b"\r") == [Line(longest.decode())]
    assert feed(b"AT" + longest + b"1\rAT\r") == [TooLong(), Line("")]


def test_a_flood_is_held_in_bounded_memory_and_the_next_line_is_in_step() -> None:
    assembler = LineAssembler()
    assert list(assembler.feed(b"AT" + bytes(range(32, 127)) * 20000)) == []
    assert len(assembler._body or b"") <= MAX_LINE
    assert list(assembler.feed(b"\rATH\r")) == [TooLong(), Line("H")]


@given(st.binary(max_size=300))
def test_after_any_noise_the_line_after_next_is_understood(noise: bytes) -> None:
    assembler = LineAssembler()
    list(assembler.feed(noise))
    list(assembler.feed(b"\r"))
    assert list(assembler.feed(b"AT+CLCC\r")) == [Line("+CLCC")]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_lines_do_not_depend_on_how_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    assembler = LineAssembler()
    edges = [0, *sorted(cuts), len(data)]
    cut = [item for a, b in itertools.pairwise(edges) for item in assembler.feed(data[a:b])]
    assert cut == feed(data)


def test_echo_shows_what_was_typed_and_erases() -> None:
    assembler = LineAssembler()
    list(assembler.feed(b"\x00\xffATHX\x08\r\n"))
    assert assembler.take_echo() == b"ATHX\b \b\r"
    assert assembler.take_echo() == b""
