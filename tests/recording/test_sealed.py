"""Sealed recordings: whatever is done to the file without the key is noticed, and told by number."""

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thirdring.protocol.errors import MediaError, ThirdringError
from thirdring_device.adapters.recording.key import read_key, read_or_make_key
from thirdring_device.adapters.recording.sealed import (
    LARGEST_CHUNK,
    MAGIC,
    SealedReader,
    SealedWriter,
    SoundFormat,
    is_sealed,
    reseal,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
SOUND = SoundFormat("wav", 16_000)
REFUSALS = {4000, 4021, 4022, 4023}

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def sealed(path: Path, pieces: list[bytes], facts: bytes = b"facts", *, ended: bool = True) -> bytes:
    """Write a sealed recording; return the whole file."""
    writer = SealedWriter(path, KEY, SOUND)
    for piece in pieces:
        writer.write(piece)
    if ended:
        writer.finish(facts)
    else:
        writer.close()
    return path.read_bytes()


def opened(path: Path, key: bytes = KEY) -> tuple[bytes, bytes]:
    with SealedReader(path, key) as reader:
        return reader.read(), reader.facts


def refusal(path: Path, content: bytes, key: bytes = KEY) -> int:
    """Return the code that ``content`` is refused with, 0 when it is not."""
    path.write_bytes(content)
    try:
        SealedReader(path, key).close()
    except MediaError as reason:
        return reason.code
    return 0


def chunks_of(content: bytes) -> tuple[bytes, list[bytes]]:
    """Return what stands in front of the chunks, and the chunks."""
    (length,) = struct.unpack_from(">H", content, len(MAGIC))
    at = len(MAGIC) + 2 + length + 16
    front, chunks = content[:at], []
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at + 1)
        chunks.append(content[at : at + 5 + size])
        at += 5 + size
    return front, chunks


@same_folder
@given(pieces=st.lists(st.binary(max_size=300), max_size=6), facts=st.binary(max_size=50))
def test_what_was_sealed_is_read_however_it_was_cut(
    tmp_path: Path, pieces: list[bytes], facts: bytes
) -> None:
    sealed(tmp_path / "x.sealed", pieces, facts)
    assert opened(tmp_path / "x.sealed") == (b"".join(pieces), facts)


@same_folder
@given(pieces=st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=4), data=st.data())
def test_the_sound_is_read_from_any_place(tmp_path: Path, pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    sealed(tmp_path / "x.sealed", pieces)
    with SealedReader(tmp_path / "x.sealed", KEY) as reader:
        for _ in range(5):
            at = data.draw(st.integers(0, len(whole) + 3))
            count = data.draw(st.integers(0, len(whole)))
            reader.seek(at)
            found = b""
            while len(found) < count and (piece := reader.read(count - len(found))):
                found += piece
            assert found == whole[at : at + count]


@same_folder
@given(pieces=st.lists(st.binary(max_size=60), max_size=4), data=st.data())
def test_any_truncation_is_noticed(tmp_path: Path, pieces: list[bytes], data: st.DataObject) -> None:
    content = sealed(tmp_path / "x.sealed", pieces)
    left = data.draw(st.integers(0, len(content) - 1))
    assert refusal(tmp_path / "y.sealed", content[:left]) in REFUSALS


@same_folder
@given(pieces=st.lists(st.binary(max_size=60), max_size=4), data=st.data())
def test_any_flipped_bit_is_noticed(tmp_path: Path, pieces: list[bytes], data: st.DataObject) -> None:
    content = bytearray(sealed(tmp_path / "x.sealed", pieces))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert refusal(tmp_path / "y.sealed", bytes(content)) in REFUSALS


@same_folder
@given(data=st.data())
def test_any_other_order_of_chunks_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    front, chunks = chunks_of(sealed(tmp_path / "x.sealed", [b"one", b"two", b"two", b"six"]))
    order = data.draw(st.lists(st.sampled_from(range(len(chunks))), max_size=8))
    if order != list(range(len(chunks))):
        content = front + b"".join(chunks[i] for i in order)
        assert refusal(tmp_path / "y.sealed", content) in REFUSALS


@same_folder
@given(added=st.binary(min_size=1, max_size=40))
def test_anything_behind_the_end_is_noticed(tmp_path: Path, added: bytes) -> None:
    content = sealed(tmp_path / "x.sealed", [b"one"])
    assert refusal(tmp_path / "y.sealed", content + added) == 4022


@same_folder
@given(content=st.binary(max_size=200), marked=st.booleans())
def test_any_other_file_is_refused_by_number(tmp_path: Path, content: bytes, marked: bool) -> None:
    assert refusal(tmp_path / "y.sealed", (MAGIC if marked else b"") + content) in REFUSALS


def test_a_chunk_of_another_recording_is_noticed(tmp_path: Path) -> None:
    front, chunks = chunks_of(sealed(tmp_path / "x.sealed", [b"one", b"two"]))
    _, others = chunks_of(sealed(tmp_path / "y.sealed", [b"one", b"two"]))
    assert refusal(tmp_path / "z.sealed", front + chunks[0] + others[1] + chunks[2]) == 4022
    assert refusal(tmp_path / "z.sealed", front + b"".join(others)) == 4022


def test_another_key_is_told_from_damage(tmp_path: Path) -> None:
    content = sealed(tmp_path / "x.sealed", [b"one"])
    assert refusal(tmp_path / "x.sealed", content, OTHER_KEY) == 4021


def test_the_sound_does_not_stand_in_the_file(tmp_path: Path) -> None:
    content = sealed(tmp_path / "x.sealed", [b"said in confidence"], b"+862155550101")
    assert b"confidence" not in content
    assert b"5555" not in content
    assert (tmp_path / "x.sealed").stat().st_mode & 0o777 == 0o600


def test_long_sound_is_cut_into_chunks(tmp_path: Path) -> None:
    sound = bytes(range(256)) * (LARGEST_CHUNK // 256) * 2 + b"rest"
    content = sealed(tmp_path / "x.sealed", [sound])
    assert len(chunks_of(content)[1]) == 4
    assert opened(tmp_path / "x.sealed")[0] == sound


@same_folder
@given(lost=st.integers(0, 60))
def test_what_was_whole_when_the_writer_died_is_given_an_end(tmp_path: Path, lost: int) -> None:
    pieces = [b"first piece", b"second piece", b"third piece"]
    content = sealed(tmp_path / "x.sealed", pieces, ended=False)
    path = tmp_path / "y.sealed"
    path.write_bytes(content[: len(content) - lost])
    assert refusal(path, path.read_bytes()) == 4023
    reseal(path, KEY, b"from the journal")
    sound, facts = opened(path)
    whole_chunks = sum(lost <= behind for behind in (65, 32, 0))
    assert sound == b"".join(pieces[:whole_chunks])
    assert facts == b"from the journal"
    before = path.read_bytes()
    reseal(path, KEY, b"again")
    assert path.read_bytes() == before


def test_what_was_changed_is_not_given_an_end(tmp_path: Path) -> None:
    content = bytearray(sealed(tmp_path / "x.sealed", [b"first", b"second"], ended=False))
    content[-30] ^= 1
    (tmp_path / "x.sealed").write_bytes(content)
    with pytest.raises(MediaError) as refused:
        reseal(tmp_path / "x.sealed", KEY, b"facts")
    assert refused.value.code == 4022
    assert (tmp_path / "x.sealed").read_bytes() == content


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "recording.key"
    key = read_or_make_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_make_key(path) == read_key(path) == key
    assert list(tmp_path.iterdir()) == [path]
    assert read_or_make_key(tmp_path / "other.key") != key


@pytest.mark.parametrize(
    "content",
    [b"", b"thirdring-recording-key-1 ", b"thirdring-recording-key-1 AAAA\n", b"\xff\xfe", b"A" * 44],
)
def test_a_file_that_is_no_key_is_refused_by_number(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recording.key").write_bytes(content)
    for read in (read_key, read_or_make_key):
        with pytest.raises(MediaError) as refused:
            read(tmp_path / "recording.key")
        assert refused.value.code == 4020
    with pytest.raises(MediaError) as refused:
        read_key(tmp_path / "missing")
    assert refused.value.code == 4020


def test_a_key_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    with pytest.raises(ThirdringError) as refused:
        read_or_make_key(tmp_path / "missing" / "recording.key")
    assert refused.value.code == 5006


def test_a_file_is_known_as_sealed_by_its_beginning(tmp_path: Path) -> None:
    sealed(tmp_path / "x.sealed", [])
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    assert is_sealed(tmp_path / "x.sealed")
    assert not is_sealed(tmp_path / "x.wav")
    assert not is_sealed(tmp_path / "missing")
