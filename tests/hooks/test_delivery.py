"""Events posted to a real server that refuses, hangs, goes away and comes back."""

import asyncio
import json
import sqlite3
import time
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.hooks.bench import HookDesk, until, view, with_desk
from tests.receiver import Post, Receiver
from thirdring.protocol.errors import RequestError
from thirdring.protocol.hooks import HEADER_ID, verify
from thirdring_device.gateway.hooks import outbox as outbox_module
from thirdring_device.gateway.hooks.outbox import Outbox

URL = "http://127.0.0.1:1/"


def number_of(post: Post) -> int:
    return int(json.loads(post.body)["data"]["seq"])


def test_events_are_posted_signed_and_in_order(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        with desk.receiver.serving():
            async with desk.hooks() as hooks:
                await desk.one_call()
                await until(lambda: len(desk.receiver.taken) == 4)
                await until(lambda: view(hooks).delivered == 4)
                assert (view(hooks).waiting, view(hooks).reason) == (0, "")
        assert desk.taken == [2, 3, 4, 5]
        first = desk.receiver.taken[0]
        assert first.path == "/hook?a=1"
        assert verify(desk.secret, first.headers, first.body) == desk.engine.records[1]
        assert json.loads(first.body)["type"] == "call_incoming"
        headers = {name.lower(): value for name, value in first.headers.items()}
        assert headers["host"] == f"127.0.0.1:{desk.receiver.port}"
        assert headers["content-type"] == "application/json"
        assert len({post.headers[HEADER_ID] for post in desk.receiver.taken}) == 4

    with_desk(tmp_path, scenario)


def test_only_the_kinds_asked_for_are_told(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        with desk.receiver.serving():
            async with desk.hooks(events=("call_ended",)):
                await desk.one_call()
                await until(lambda: desk.receiver.taken)
            async with desk.hooks(events=("*",)):
                await desk.strangers(2)
                await until(lambda: 7 in desk.taken)
        assert desk.taken[0] == 4
        assert desk.taken[-2:] == [6, 7]

    with_desk(tmp_path, scenario)


def test_nothing_is_lost_or_doubled_while_the_server_is_away(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        async with desk.hooks() as hooks:
            await desk.one_call("c1")
            await until(lambda: "7021" in view(hooks).reason)
            await desk.one_call("c2")
            await until(lambda: view(hooks).waiting == 8)
            with desk.receiver.serving():
                await until(lambda: view(hooks).delivered == 8)
        assert desk.taken == list(range(2, 10))

    with_desk(tmp_path, scenario)


@pytest.mark.parametrize("status", [503, 302, 404])
def test_a_server_in_trouble_is_asked_with_the_earliest_event_only(tmp_path: Path, status: int) -> None:
    async def scenario(desk: HookDesk) -> None:
        elsewhere = Receiver()
        desk.receiver.headers = {"location": elsewhere.url}
        desk.receiver.answer = lambda _: status if len(desk.receiver.posts) < 3 else 204
        with desk.receiver.serving(), elsewhere.serving():
            async with desk.hooks():
                await desk.one_call()
                await until(lambda: len(desk.receiver.taken) == 4)
        assert [number_of(post) for post in desk.receiver.posts] == [2, 2, 2, 2, 3, 4, 5]
        assert len({post.headers[HEADER_ID] for post in desk.receiver.posts[:4]}) == 1
        assert elsewhere.posts == [], "a redirect is not followed"

    with_desk(tmp_path, scenario)


def test_a_server_that_asks_for_time_gets_it(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        desk.receiver.headers = {"retry-after": "1"}
        came_s: list[float] = []

        def answer(_: Post) -> int:
            came_s.append(time.monotonic())
            return 204 if len(came_s) > 1 else 429

        desk.receiver.answer = answer
        with desk.receiver.serving():
            async with desk.hooks(retry_longest_s=5.0):
                await desk.ring("c1")
                await until(lambda: desk.receiver.taken)
        assert came_s[1] - came_s[0] >= 1.0

    with_desk(tmp_path, scenario)


def test_a_server_that_never_answers_is_given_up_and_asked_again(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        desk.receiver.answer = lambda _: 204 if len(desk.receiver.posts) else 0
        with desk.receiver.serving():
            async with desk.hooks(timeout_s=0.5) as hooks:
                await desk.ring("c1")
                await until(lambda: "no answer within" in view(hooks).reason)
                await until(lambda: desk.receiver.taken)
        assert desk.taken == [2]

    with_desk(tmp_path, scenario)


def test_an_event_that_is_refused_holds_back_its_own_call_only(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        refused = asyncio.Event()
        desk.receiver.answer = lambda post: 400 if number_of(post) == 2 and not refused.is_set() else 204
        with desk.receiver.serving():
            async with desk.hooks() as hooks:
                await desk.ring("c1")
                await desk.answer("c1")
                await desk.ring("c2")
                await desk.answer("c2")
                await until(lambda: len(desk.receiver.taken) == 2)
                await until(lambda: view(hooks).waiting == 2)  # its answers, too, have come
                refused.set()
                await until(lambda: len(desk.receiver.taken) == 4)
        assert desk.taken == [4, 5, 2, 3]

    with_desk(tmp_path, scenario)


def test_where_we_were_is_kept_over_a_restart(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        with desk.receiver.serving():
            async with desk.hooks() as hooks:
                await desk.one_call("c1")
                await until(lambda: view(hooks).delivered == 4)
            await desk.one_call("c2")
        async with desk.hooks() as hooks:
            await until(lambda: view(hooks).waiting == 4)
        with desk.receiver.serving():
            async with desk.hooks() as hooks:
                await until(lambda: view(hooks).delivered == 8)
        assert desk.taken == list(range(2, 10))

    with_desk(tmp_path, scenario)


def test_what_is_given_up_is_listed_and_sent_again_when_asked(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        desk.receiver.answer = lambda _: 410
        with desk.receiver.serving():
            async with desk.hooks() as hooks:
                await desk.ring("c1")
                await desk.answer("c1")
                await until(lambda: view(hooks).dead == 2)
                later, earlier = hooks.dead_letters(10)
                assert (earlier.seq, earlier.kind, earlier.call_id) == (2, "call_incoming", "c1")
                assert "HTTP 410" in earlier.reason
                desk.receiver.answer = lambda _: 204
                assert hooks.retry(later.letter_id) == 1
                await until(lambda: desk.taken == [3])
                assert hooks.retry(0) == 1
                await until(lambda: desk.taken == [3, 2])
                with pytest.raises(RequestError, match="1003"):
                    hooks.retry(later.letter_id)
                with pytest.raises(RequestError, match="1004"):
                    hooks.dead_letters(0)

    with_desk(tmp_path, scenario)


def test_events_too_old_are_given_up_all_at_once(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        async with desk.hooks(retry_first_s=30.0, retry_longest_s=30.0) as hooks:
            await desk.one_call()
            await until(lambda: view(hooks).waiting == 4)
        async with desk.hooks(keep_h=0.0) as hooks:
            hooks.retry(0)
            await until(lambda: view(hooks).dead == 4)

    with_desk(tmp_path, scenario)


def test_https_is_checked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def scenario(desk: HookDesk) -> None:
        desk.receiver = Receiver(authority.sign("hook", "IP:127.0.0.1"))
        with desk.receiver.serving():
            async with desk.hooks() as hooks:
                await desk.ring("c1")
                await until(lambda: "CERTIFICATE_VERIFY_FAILED" in view(hooks).reason)
            assert desk.receiver.posts == []
            async with desk.hooks(ca_file=str(authority.file)) as hooks:
                await until(lambda: desk.receiver.taken)

    with_desk(tmp_path, scenario)


def test_addresses_that_are_no_longer_set_are_forgotten(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        async with desk.hooks() as hooks:
            await desk.ring("c1")
            await until(lambda: view(hooks).waiting == 1)
        async with desk.hooks(urls=()) as hooks:
            assert hooks.views() == []
        async with desk.hooks() as hooks:
            assert (view(hooks).waiting, view(hooks).position) == (0, 2)

    with_desk(tmp_path, scenario)


def test_a_journal_begun_anew_ends_what_was_open(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "hooks.sqlite3")
    outbox.position(URL, 10)
    outbox.take(URL, 11, "call_incoming", "c1")
    outbox.begin_anew(URL, 0)
    assert (outbox.waiting(URL), outbox.position(URL, 99)) == (0, 0)
    outbox.close()


def test_a_disk_that_is_full_leaves_no_transaction_open(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "hooks.sqlite3")
    outbox.position(URL, 0)
    database = outbox._db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages + 1}")
    taken = 0

    def take_all() -> None:
        nonlocal taken
        for number in range(1, 10_000):
            outbox.take(URL, number, "call_incoming", "c" * 50)
            taken = number

    with pytest.raises(sqlite3.OperationalError, match="full"):
        take_all()
    assert (outbox.waiting(URL), outbox.position(URL, 0)) == (taken, taken)
    database.execute("PRAGMA max_page_count = 100000")
    outbox.take(URL, taken + 1, "call_incoming", "c1")
    assert outbox.waiting(URL) == taken + 1
    outbox.close()


def test_a_damaged_outbox_is_told_and_stops_nothing_else(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        (tmp_path / "hooks.sqlite3").write_bytes(b"no database, but long enough to look like one" * 100)
        async with desk.hooks() as hooks:
            assert "5006" in view(hooks).reason
            assert (hooks.dead_letters(1), hooks.retry(0)) == ([], 0)

    with_desk(tmp_path, scenario)


def test_dead_letters_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "DEAD_AT_MOST", 3)
    outbox = Outbox(tmp_path / "hooks.sqlite3")
    outbox.position(URL, 0)
    for number in range(1, 6):
        outbox.take(URL, number, "call_incoming", "c1")
        letter = outbox.due(URL)
        assert letter is not None
        outbox.failed(URL, letter, "no", None)
    assert [letter.seq for letter in outbox.dead_letters(10)] == [5, 4, 3]
    outbox.close()
