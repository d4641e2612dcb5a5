"""Where a web hook may lead, and where it may not."""

import asyncio
import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.bench import HookDesk, until, view, with_desk
from thirdring.protocol.errors import AccessError, ApplianceError
from thirdring_device.gateway.hooks.target import Target, may_reach, networks


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_inner_addresses_are_reached_only_when_set(address: str) -> None:
    inner = ipaddress.ip_address(address)
    assert not may_reach(inner, ())
    assert may_reach(inner, networks(("0.0.0.0/0", "::/0")))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_reached(address: str) -> None:
    assert may_reach(ipaddress.ip_address(address), ())


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://x/", "file:///etc/passwd", "gopher://x/", "http://", "http:///x", "//x/", "x"),
        *("http://user:password@x/", "http://user@x/", "http://x:99999/", "http://[::1/", "HTTP//x"),
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ApplianceError) as caught:
        Target.of(url)
    assert caught.value.code == 7020


@pytest.mark.parametrize(
    ("url", "authority", "at"),
    [
        ("http://x", "x", "http://1.1.1.1:80/"),
        ("https://x:8443/a/b?c=%20d#e", "x:8443", "https://1.1.1.1:8443/a/b?c=%20d"),
        ("http://[::1]:80/", "[::1]", "http://1.1.1.1:80/"),
    ],
)
def test_a_url_is_asked_for_at_the_address_that_was_judged(url: str, authority: str, at: str) -> None:
    target = Target.of(url)
    assert (target.authority, target.at(ipaddress.ip_address("1.1.1.1"))) == (authority, at)


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(ApplianceError, match="7020"):
        networks(("home",))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1"])
def test_this_machine_is_not_posted_to_unless_set(tmp_path: Path, host: str) -> None:
    async def scenario(desk: HookDesk) -> None:
        url = f"http://{host}:{desk.receiver.port}/"
        with desk.receiver.serving():
            async with desk.hooks(urls=(url,), networks=()) as hooks:
                await desk.ring("c1")
                await until(lambda: "7020" in view(hooks).reason)
        assert desk.receiver.posts == []

    with_desk(tmp_path, scenario)


def test_a_name_is_looked_up_and_judged_for_every_post(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the name says next leads nowhere: the address that was judged is the one connected to."""
    answers = ["127.0.0.1", "10.0.0.1", "127.0.0.1"]
    asked: list[str] = []
    real = asyncio.BaseEventLoop.getaddrinfo

    async def look_up(loop: Any, host: str, port: int, **options: Any) -> Any:
        if host != "hook.test":
            return await real(loop, host, port, **options)
        asked.append(answers[min(len(asked), 2)])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (asked[-1], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)

    async def scenario(desk: HookDesk) -> None:
        with desk.receiver.serving():
            async with desk.hooks(urls=(f"http://hook.test:{desk.receiver.port}/",)) as hooks:
                await desk.ring("c1")
                await until(lambda: desk.receiver.taken)
                await desk.answer("c1")
                await until(lambda: "hook.test is 10.0.0.1" in view(hooks).reason)
                await until(lambda: len(desk.receiver.taken) == 2)
        assert asked == answers
        assert {post.headers["host"] for post in desk.receiver.posts} == {f"hook.test:{desk.receiver.port}"}

    with_desk(tmp_path, scenario)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", None])
def test_without_a_secret_nothing_is_posted(tmp_path: Path, secret: str | None) -> None:
    file = tmp_path / "secret"
    if secret is not None:
        file.write_text(secret)

    async def scenario(desk: HookDesk) -> None:
        with desk.receiver.serving():
            async with desk.hooks(secret_file=str(file)) as hooks:
                assert "6010" in view(hooks).reason
                await desk.ring("c1")
        assert desk.receiver.posts == []

    with_desk(tmp_path, scenario)


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    async def scenario(desk: HookDesk) -> None:
        async with desk.hooks():
            await until((tmp_path / "hook-secret").exists)
            secret = desk.secret
        async with desk.hooks():
            assert desk.secret == secret
        modes = {(tmp_path / name).stat().st_mode & 0o777 for name in ("hook-secret", "hooks.sqlite3")}
        assert modes == {0o600}

    with_desk(tmp_path, scenario)


def test_a_secret_error_is_an_access_error() -> None:
    from thirdring.protocol.hooks import hook_key

    with pytest.raises(AccessError):
        hook_key("x")
