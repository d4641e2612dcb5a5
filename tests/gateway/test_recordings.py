"""Recordings over HTTP and the SDK: listed, fetched opened, and never without the engine's note."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem
from tests.recording.test_command import recorded
from tests.recording.test_recorder import CALL_ID, FACTS, heard
from thirdring import AsyncAppliance, MediaError, RecordingView, StorageError
from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import Command, ListRecordings, ReadRecording
from thirdring.protocol.errors import error

VIEW = RecordingView(
    call_id=CALL_ID,
    file=f"{CALL_ID}.sealed",
    encrypted=True,
    size_bytes=64_000,
    finished_utc="2026-03-02T08:15:09+00:00",
)


def with_gateway(tmp_path: Path, scenario: Any) -> None:
    async def run(desk: Desk) -> None:
        async with desk.gateway() as http:
            await scenario(desk, http)

    at_the_desk(tmp_path, run)


def serve(desk: Desk, path: Path) -> None:
    def read(command: Command) -> dict[str, Any]:
        assert isinstance(command, ReadRecording)
        if command.call_id != CALL_ID:
            raise error(4024, command.call_id)
        return {"path": str(path.relative_to(desk.state_dir))}

    desk.engine.handlers["read_recording"] = read
    desk.engine.handlers["list_recordings"] = lambda _: {"recordings": [to_fields(VIEW)]}


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(("form", "kind"), [("wav", "audio/wav"), ("opus", "audio/ogg")])
def test_a_recording_is_fetched_opened(tmp_path: Path, form: str, kind: str, sealed: bool) -> None:
    path = recorded(tmp_path, form, sealed=sealed)

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        serve(desk, path)
        response = await http.get(f"/v1/calls/{CALL_ID}/recording")
        assert response.status_code == 200
        assert response.headers["content-type"] == kind
        suffix = {"wav": "wav", "opus": "ogg"}[form]
        assert response.headers["content-disposition"] == f'attachment; filename="{CALL_ID}.{suffix}"'
        sound, _ = soundfile.read(io.BytesIO(response.content), dtype="int16")
        assert (sound == heard(path)[0]).all()
        assert desk.engine.commands == [ReadRecording(call_id=CALL_ID, source="http")]

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("form", ["wav", "opus"])
def test_a_part_of_a_recording_is_fetched_and_noted_once(tmp_path: Path, form: str, sealed: bool) -> None:
    path = recorded(tmp_path, form, sealed=sealed)

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        serve(desk, path)
        address = f"/v1/calls/{CALL_ID}/recording"
        answer = await http.get(address)
        whole = answer.content
        size = len(whole)
        assert (answer.headers["content-length"], answer.headers["accept-ranges"]) == (str(size), "bytes")
        for asked, start, end in (
            ("0-", 0, size),
            ("0-0", 0, 1),
            ("10-99", 10, 100),
            (f"50-{size * 2}", 50, size),
            (f"{size - 1}-", size - 1, size),
            ("-7", size - 7, size),
            (f"-{size * 2}", 0, size),
        ):
            part = await http.get(address, headers={"range": f"bytes={asked}"})
            assert part.status_code == 206, asked
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            assert part.content == whole[start:end], asked
        # The whole one, and the two parts that begin at the beginning.
        assert len(desk.engine.commands) == 3
        for ignored in ("bytes=5-3", "bytes=0-1,4-5", "words=1-2", "bytes=-", "bytes=x-"):
            assert (await http.get(address, headers={"range": ignored})).content == whole, ignored
        with_tag = {"range": "bytes=1-2", "if-range": '"another"'}
        assert (await http.get(address, headers=with_tag)).content == whole
        for outside in (f"bytes={size}-", "bytes=-0"):
            refused = await http.get(address, headers={"range": outside})
            assert_problem(refused, 4027)
            assert refused.headers["content-range"] == f"bytes */{size}"

    with_gateway(tmp_path, scenario)


def test_what_cannot_be_fetched_is_refused_by_number(tmp_path: Path) -> None:
    path = recorded(tmp_path, "wav", sealed=True)

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        serve(desk, path)
        missing = await http.get("/v1/calls/none/recording")
        assert (missing.status_code, missing.json()["code"]) == (404, 4024)
        content = bytearray(path.read_bytes())
        content[-20] ^= 1
        path.write_bytes(content)
        damaged = await http.get(f"/v1/calls/{CALL_ID}/recording")
        assert (damaged.status_code, damaged.json()["code"]) == (500, 4022)
        path.unlink()
        gone = await http.get(f"/v1/calls/{CALL_ID}/recording")
        assert gone.json()["code"] == 4000
        for limit in ("0", "1001", "x"):
            refused = await http.get("/v1/recordings", params={"limit": limit})
            assert refused.status_code == 422
        async with httpx.AsyncClient(base_url=desk.url, trust_env=False) as stranger:
            assert (await stranger.get(f"/v1/calls/{CALL_ID}/recording")).status_code == 401

    with_gateway(tmp_path, scenario)


def test_the_sdk_lists_and_saves_recordings(tmp_path: Path) -> None:
    path = recorded(tmp_path, "wav", sealed=True)
    out = tmp_path / "out.wav"

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        serve(desk, path)
        async with AsyncAppliance(desk.url, desk.token) as appliance:
            assert await appliance.recordings(7) == [VIEW]
            await appliance.save_recording(CALL_ID, out)
            with pytest.raises(MediaError) as refused:
                await appliance.save_recording("none", tmp_path / "none.wav")
            assert refused.value.code == 4024
            with pytest.raises(StorageError) as unwritable:
                await appliance.save_recording(CALL_ID, tmp_path / "none" / "out.wav")
            assert unwritable.value.code == 5008
        assert desk.engine.commands[:2] == [
            ListRecordings(limit=7, source="http"),
            ReadRecording(call_id=CALL_ID, source="http"),
        ]

    with_gateway(tmp_path, scenario)
    assert heard(out)[1] == FACTS[:2]
    assert not list(tmp_path.glob("*.part"))
    assert not (tmp_path / "none.wav").exists()
