import asyncio
import contextlib
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.desk import Desk, at_the_desk
from tests.peers import free_port
from thirdring import AsyncAppliance, StorageError
from thirdring_device.cli import main
from thirdring_device.gateway.api.token import read_or_make_token, same_token
from thirdring_device.gateway.main import listen


def settings_file(folder: Path, port: int, extra: str = "") -> Path:
    file = folder / "settings.toml"
    file.write_text(f"[gateway]\nport = {port}\n{extra}")
    return file


def arguments(state_dir: Path, port: int, extra: str = "") -> list[str]:
    return ["gateway", "--state", str(state_dir), "--settings", str(settings_file(state_dir, port, extra))]


@contextlib.asynccontextmanager
async def gateway_process(
    state_dir: Path, port: int, extra: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "thirdring_device.cli",
        *arguments(state_dir, port, extra),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        while not await answers(port):
            assert process.returncode is None
            await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def test_process_serves_and_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        port = free_port()
        await desk.one_call()
        async with gateway_process(tmp_path, port) as process:
            url = f"http://127.0.0.1:{port}"
            async with AsyncAppliance(url, token_file=tmp_path / "api-token") as appliance:
                assert (await appliance.state()).last_event == 4
                async with contextlib.aclosing(appliance.events(after=3)) as events:
                    assert (await anext(events)).number == 4
                    process.send_signal(signal.SIGTERM)
                    assert await process.wait() == 0
        assert process.stderr is not None
        assert b"Traceback" not in await process.stderr.read()

    at_the_desk(tmp_path, scenario)


def test_events_survive_the_death_of_the_gateway(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        port = free_port()
        read_or_make_token(tmp_path)
        appliance = AsyncAppliance(f"http://127.0.0.1:{port}", token_file=tmp_path / "api-token")
        events = appliance.events(after=0)
        seen = []
        for _ in range(2):
            async with gateway_process(tmp_path, port) as process:
                await desk.strangers(20)
                seen += [(await anext(events)).number for _ in range(20)]
                process.send_signal(signal.SIGKILL)
                await process.wait()
        await events.aclose()
        await appliance.close()
        assert seen == list(range(1, 41))

    at_the_desk(tmp_path, scenario)


def test_small_answers_do_not_wait_for_the_clients_acknowledgement() -> None:
    async def main() -> None:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(note, sock=listen("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await accepted == 1
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


def test_a_port_in_use_is_a_numbered_error_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(arguments(tmp_path, port)) == 2
    message = capsys.readouterr().err
    assert "7006: the TCP port cannot be opened" in message
    assert f"127.0.0.1:{port}" in message


def test_a_state_folder_that_cannot_be_written_is_a_numbered_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        read_or_make_token(tmp_path / "none")
    assert caught.value.code == 5006


def test_wrong_settings_are_a_numbered_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path, 0)) == 2
    assert "5005" in capsys.readouterr().err


def test_an_empty_token_file_is_filled_and_a_token_is_kept(tmp_path: Path) -> None:
    (tmp_path / "api-token").write_text("\n")
    token = read_or_make_token(tmp_path)
    assert token == read_or_make_token(tmp_path)
    assert stat.S_IMODE((tmp_path / "api-token").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["api-token"]
    assert same_token(token, token)
    assert not same_token("", token)
    assert not same_token(token + "\udcff", token)


def test_importing_the_gateway_leaves_sip_and_dsp_alone() -> None:
    program = "import sys, thirdring_device.gateway.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"pjsua2", "thirdring_dsp", "numpy", "scipy"} & set(done.stdout.split())
