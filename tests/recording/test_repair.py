"""A recording that was cut short anywhere is finished, or refused by number; nothing else can come of it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.recording.test_command import recorded
from tests.recording.test_recorder import FACTS, heard
from thirdring.protocol.errors import MediaError
from thirdring_device.adapters.recording.facts import pack
from thirdring_device.adapters.recording.reading import RecordingFile
from thirdring_device.adapters.recording.sinks import repair

anywhere = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    return {form: recorded(folder / form, form, sealed=False).read_bytes() for form in ("wav", "opus")}


def finish(path: Path) -> bool:
    try:
        repair(path, b"", pack(FACTS, whole=False))
    except OSError:
        return False
    return True


@anywhere
@given(data=st.data())
def test_a_wav_file_cut_anywhere_keeps_what_it_has(
    tmp_path: Path, whole: dict[str, bytes], data: st.DataObject
) -> None:
    content = whole["wav"]
    left = data.draw(st.integers(0, 44 + 64_000))
    path = tmp_path / "call.wav"
    path.write_bytes(content[:left])
    assert finish(path) == (left >= 44)
    if left >= 44:
        sound, facts = heard(path)
        assert [record.event for record in facts[:2]] == [record.event for record in FACTS[:2]]
        assert len(facts) == 3
        there = (left - 44) // 4
        assert len(sound) == there
        expected = np.frombuffer(content[44 : 44 + 4 * there], "<i2").reshape(-1, 2)
        assert (sound == expected).all()


@anywhere
@given(data=st.data())
def test_an_ogg_file_cut_anywhere_is_finished_or_refused(
    tmp_path: Path, whole: dict[str, bytes], data: st.DataObject
) -> None:
    content = whole["opus"]
    left = data.draw(st.integers(0, len(content) - 1))
    path = tmp_path / "call.ogg"
    path.write_bytes(content[:left])
    if finish(path):
        try:
            _, facts = heard(path)
        except MediaError as reason:
            if reason.code not in (4000, 4003):
                raise
        else:
            assert facts


@anywhere
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"RIFF", b"OggS", b"TRSEAL1\n"]))
def test_any_file_is_refused_by_number_or_read(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(start + content)
    try:
        file = RecordingFile(path)
        try:
            file.facts()
            file.open_sound().close()
        finally:
            file.close()
    except MediaError as reason:
        if reason.code not in (4000, 4020, 4021, 4022, 4023):
            raise
