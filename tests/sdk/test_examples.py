"""Every file of ``sdk/examples`` runs, over HTTP and over serial."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

from tests.hooks.bench import HookDesk, until, with_desk
from tests.integration.conftest import Unit
from tests.peers import SippPeer, free_port
from tests.receiver import Receiver
from tests.sdk.ways import ConsoleDesk, Way, desk_in_background
from thirdring.protocol.events import CallAlerting, CallEnded, CallIncoming, Verdict
from thirdring.protocol.hooks import SECRET_PREFIX

FOLDER = Path(__file__).parents[2] / "sdk" / "examples"
DAY = "2026-05-04"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def chat() -> Iterator[Receiver]:
    """Other people's server."""
    chat = Receiver()
    with chat.serving():
        yield chat


def at(desk: ConsoleDesk, way_name: str) -> list[str]:
    way = desk.way(way_name)
    return ["--url", way.url, "--token-file", str(way.state_dir / "api-token")]


def test_there_is_a_test_for_every_example() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f'example("{file.stem}")' in source for file in FOLDER.glob("*.py"))


def test_screen_pop_shows_who_calls(
    tmp_path: Path, way_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call())
        arguments = [*at(desk, way_name), "--after", "0", "--count", "1"]
        assert example("screen_pop").main(arguments) == 0
        assert capsys.readouterr().out == "13800138000  王女士\n"
        file = tmp_path / "popped"
        assert example("screen_pop").main([*arguments, "--run", f"touch {file}-{{number}}"]) == 0
        assert Path(f"{file}-13800138000").exists()


def test_crm_note_posts_each_call_once_and_goes_on_where_it_was(
    tmp_path: Path, way_name: str, chat: Receiver
) -> None:
    main = example("crm_note").main
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call("c1"))
        position = tmp_path / "position"
        position.write_text("0")
        arguments = [*at(desk, way_name), "--crm", chat.url, "--position", str(position), "--count", "1"]
        assert main(arguments) == 0
        assert position.read_text() == "3"
        run(desk.one_call("c2"))
        assert main(arguments) == 0
    told = [json.loads(post.body) for post in chat.taken]
    assert [(call["call_id"], call["number"], call["talk_s"]) for call in told] == [
        ("c1", "13800138000", 53.0),
        ("c2", "13800138000", 53.0),
    ]


def test_norm_alarm_tells_the_chat(tmp_path: Path, way_name: str, chat: Receiver) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call())
        run(
            desk.engine.emit(
                Verdict(
                    at_s=60.0,
                    call_id="c1",
                    rule="hold.time",
                    verdict="breached",
                    value=45.5,
                    unit="s",
                    threshold=30.0,
                    measures={},
                    evidence=(1,),
                )
            )
        )
        arguments = [*at(desk, way_name), "--chat", chat.url, "--after", "0", "--count", "1"]
        assert example("norm_alarm").main(arguments) == 0
    (post,) = chat.taken
    assert json.loads(post.body) == {"text": "hold.time breached: 45.5 s, limit 30 (call c1, 13800138000)"}


def test_hook_receiver_prints_what_the_appliance_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, module = free_port(), example("hook_receiver")
    secret = tmp_path / "hook-secret"
    secret.write_text(SECRET_PREFIX + "QUFB" * 10)
    receiving = threading.Thread(
        target=module.main, args=(["--port", str(port), "--secret-file", str(secret), "--count", "4"],)
    )
    receiving.start()

    async def scenario(desk: HookDesk) -> None:
        async with desk.hooks(urls=(f"http://127.0.0.1:{port}/",)) as hooks:
            await desk.one_call()
            await until(lambda: hooks.views()[0].delivered == 4)

    with_desk(tmp_path, scenario)
    receiving.join(10.0)
    assert not receiving.is_alive()
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == [
        "call_incoming",
        "call_answered",
        "call_ended",
        "verdict",
    ]


def test_nightly_report_is_written(tmp_path: Path, way_name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.engine.emit(CallIncoming(at_s=1.0, call_id="c0", number="1")))
        run(desk.engine.emit(CallAlerting(at_s=1.0, call_id="c0")))
        run(desk.engine.emit(CallEnded(at_s=60.0, call_id="c0", by="customer", cause="cancelled")))
        run(desk.one_call())
        arguments = [*at(desk, way_name), "--day", DAY, "--out", str(tmp_path / "reports")]
        assert example("nightly_report").main(arguments) == 0
    file = tmp_path / "reports" / f"{DAY}.md"
    assert capsys.readouterr().out == f"{file}\n"
    text = file.read_text(encoding="utf-8")
    assert "1 calls offered, 0 answered, 1 given up" in text
    assert "| answer.rings | 1 | 0 | 0 |" in text


@pytest.mark.sip
@pytest.mark.parametrize(("norm", "code"), [("answer.rings", 0), ("voice.level", 1)])
def test_bench_script_judges_a_real_call(
    unit: Unit, way: Way, tmp_path: Path, norm: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second of silence is said: the level of the voice is not judged."""
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(16000), 16000)
    where = ["--url", way.url, "--token-file", str(way.state_dir / "api-token")]
    with SippPeer("call_until_bye", tmp_path, target=unit.target, keys={"caller": "1380"}) as peer:
        arguments = [*where, "--speak", str(silence), "--norm", norm, "--within-s", "20"]
        assert example("bench_script").main(arguments) == code
        peer.wait()
    unit.free()
    told = capsys.readouterr().out
    assert told == ("pass answer.rings: met\n" if code == 0 else "FAIL voice.level: not_applicable\n")
