import contextlib
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem
from thirdring.protocol.errors import ThirdringError
from thirdring_device.cli import main
from thirdring_device.gateway.api.credentials import Credentials
from thirdring_device.gateway.api.passwords import hash_password, password_matches
from thirdring_device.gateway.api.throttle import Throttle
from thirdring_device.settings import GatewaySettings

NEW = "a tram to the sea"


class Browser(httpx.AsyncClient):
    """Keeps cookies, as a browser does, and has no token."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(base_url=desk.url, trust_env=False)

    async def sign_in(self, role: str, password: str) -> httpx.Response:
        response = await self.post("/v1/session", json={"role": role, "password": password})
        if response.is_success:
            self.headers["x-csrf-token"] = response.json()["csrf_token"]
        return response

    async def change_password(self, old: str, new: str) -> httpx.Response:
        return await self.put("/v1/session/password", json={"old": old, "new": new})

    @property
    def session_cookie(self) -> dict[str, str]:
        return {"cookie": f"thirdring_session={self.cookies['thirdring_session']}"}


def first_password(desk: Desk) -> str:
    return (desk.state_dir / "first-password").read_text().strip()


@contextlib.asynccontextmanager
async def technician(desk: Desk) -> AsyncIterator[Browser]:
    """The gateway, and a browser in which the technician has signed in and changed the first password."""
    async with desk.gateway(), Browser(desk) as browser:
        password = first_password(desk)
        await browser.sign_in("technician", password)
        assert (await browser.change_password(password, NEW)).is_success
        yield browser


def with_technician(tmp_path: Path, scenario: Callable[[Desk, Browser], Awaitable[None]]) -> None:
    async def run(desk: Desk) -> None:
        async with technician(desk) as browser:
            await scenario(desk, browser)

    at_the_desk(tmp_path, run)


def test_the_first_password_lets_in_once_to_be_changed(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), Browser(desk) as browser:
            password = first_password(desk)
            assert stat.S_IMODE((tmp_path / "first-password").stat().st_mode) == 0o600
            begun = await browser.sign_in("technician", password)
            assert begun.json()["must_change_password"] is True
            assert_problem(await browser.get("/v1/state"), 6004)
            assert_problem(await browser.change_password("wrong", NEW), 6003)
            assert_problem(await browser.change_password(password, password), 1004)
            assert_problem(await browser.change_password(password, "short"), 1001)
            changed = await browser.change_password(password, NEW)
            assert changed.json()["must_change_password"] is False
            assert (await browser.get("/v1/state")).is_success
            assert not (tmp_path / "first-password").exists()
        async with desk.gateway(), Browser(desk) as browser:
            assert not (tmp_path / "first-password").exists()
            assert_problem(await browser.sign_in("technician", password), 6003)
            assert (await browser.sign_in("technician", NEW)).is_success

    at_the_desk(tmp_path, scenario)


def test_the_cookie_is_for_this_site_and_not_for_scripts(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), Browser(desk) as browser:
            begun = await browser.sign_in("technician", first_password(desk))
            (cookie,) = SimpleCookie(begun.headers["set-cookie"]).values()
            assert cookie.key == "thirdring_session"
            assert len(cookie.value) >= 43
            assert cookie["httponly"]
            assert cookie["samesite"] == "strict"
            assert cookie["path"] == "/"
            assert int(cookie["max-age"]) == 24 * 3600
            assert cookie.value not in begun.text
            assert cookie.value.encode() not in (tmp_path / "access.sqlite3").read_bytes()

    at_the_desk(tmp_path, scenario)


def test_a_session_changes_nothing_without_its_csrf_token(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        desk.engine.handlers["hold"] = lambda _: {"call_id": "c1"}
        assert (await browser.post("/v1/hold")).is_success
        token = browser.headers.pop("x-csrf-token")
        for wrong in ({}, {"x-csrf-token": ""}, {"x-csrf-token": token[:-1] + "x"}):
            assert_problem(await browser.post("/v1/hold", headers=wrong), 6006)
            assert_problem(await browser.delete("/v1/session", headers=wrong), 6006)
        assert len(desk.engine.commands) == 1
        assert (await browser.get("/v1/session")).json()["csrf_token"] == token

    with_technician(tmp_path, scenario)


def test_a_session_is_not_served_to_a_page_of_another_port(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        elsewhere = {"origin": f"http://127.0.0.1:{desk.port + 1}"}
        assert_problem(await browser.get("/v1/state", headers=elsewhere), 6001)
        here = {"origin": desk.url}
        assert (await browser.get("/v1/state", headers=here)).is_success

    with_technician(tmp_path, scenario)


def test_signing_out_ends_the_session(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        kept = browser.session_cookie
        assert (await browser.delete("/v1/session")).status_code == 204
        assert "thirdring_session" not in browser.cookies
        assert_problem(await browser.get("/v1/state", headers=kept), 6000)

    with_technician(tmp_path, scenario)


def test_a_session_outlives_the_gateway(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with technician(desk) as browser:
            kept = browser.session_cookie
        async with desk.gateway(), httpx.AsyncClient(base_url=desk.url, trust_env=False) as http:
            assert (await http.get("/v1/state", headers=kept)).is_success

    at_the_desk(tmp_path, scenario)


def test_roles_sign_in_once_the_technician_has_given_them_a_password(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        async def given() -> list[str]:
            return [account["password"] for account in (await browser.get("/v1/accounts")).json()]

        async with Browser(desk) as other:
            assert_problem(await other.sign_in("agent", ""), 6003)
            assert await given() == ["none", "none", "set"]
            path = "/v1/accounts/agent/password"
            assert (await browser.put(path, json={"password": "given by hand"})).status_code == 204
            assert await given() == ["first", "none", "set"]
            assert (await other.sign_in("agent", "given by hand")).json()["must_change_password"]
            assert (await other.change_password("given by hand", NEW)).is_success
            assert (await other.get("/v1/state")).is_success
            assert_problem(await other.get("/v1/tokens"), 6002)
            assert (await browser.put(path, json={"password": NEW, "must_change": False})).is_success
            assert_problem(await other.get("/v1/state"), 6000)
            assert await given() == ["set", "none", "set"]
            assert_problem(await browser.put("/v1/accounts/cook/password", json={"password": NEW}), 1001)

    with_technician(tmp_path, scenario)


def test_changing_the_password_ends_the_roles_other_sessions(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        async with Browser(desk) as other:
            await other.sign_in("technician", NEW)
            assert (await other.get("/v1/state")).is_success
            assert (await browser.change_password(NEW, "another long one")).is_success
            assert_problem(await other.get("/v1/state"), 6000)
            assert (await browser.get("/v1/state")).is_success

    with_technician(tmp_path, scenario)


def test_guessing_is_slowed_down_after_five_wrong_passwords(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), Browser(desk) as browser:
            for _ in range(5):
                wrong = await browser.sign_in("technician", "wrong")
                assert_problem(wrong, 6003)
            refused = await browser.sign_in("technician", first_password(desk))
            assert_problem(refused, 6005)
            assert 28 <= int(refused.headers["retry-after"]) <= 30
            headers = {"authorization": f"Bearer {desk.token}"}
            assert (await browser.get("/v1/state", headers=headers)).is_success

    at_the_desk(tmp_path, scenario)


def test_tokens_are_shown_once_and_can_be_revoked(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        made = (await browser.post("/v1/tokens", json={"name": "wall", "role": "lead"})).json()
        listed = await browser.get("/v1/tokens")
        assert made["token"] not in listed.text
        assert made["token"].encode() not in (tmp_path / "access.sqlite3").read_bytes()
        (row,) = listed.json()
        assert (row["name"], row["role"], row["used_utc"]) == ("wall", "lead", None)
        bearer = {"authorization": f"Bearer {made['token']}"}
        async with httpx.AsyncClient(base_url=desk.url, trust_env=False, headers=bearer) as http:
            assert (await http.get("/v1/staffing?calls_per_h=10")).is_success
            who = (await http.get("/v1/session")).json()
            assert (who["kind"], who["csrf_token"], who["ends_utc"]) == ("token", "", None)
            assert (await browser.get("/v1/tokens")).json()[0]["used_utc"] is not None
            assert (await http.delete("/v1/session")).status_code == 204
            assert (await http.get("/v1/state")).is_success
            path = f"/v1/tokens/{row['token_id']}"
            assert (await browser.delete(path)).status_code == 204
            assert_problem(await http.get("/v1/state"), 6000)
            assert_problem(await browser.delete(path), 1003)

    with_technician(tmp_path, scenario)


def test_a_wrong_token_is_not_passed_over_for_a_good_cookie(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        for given in ("Bearer wrong", "Basic dXNlcjpwdw==", ""):
            assert_problem(await browser.get("/v1/state", headers={"authorization": given}), 6000)

    with_technician(tmp_path, scenario)


def test_a_session_follows_events_until_it_ends(tmp_path: Path) -> None:
    async def scenario(desk: Desk, browser: Browser) -> None:
        address = f"ws://127.0.0.1:{desk.port}/v1/events"
        options: dict[str, Any] = {"proxy": None, "additional_headers": browser.session_cookie}
        with pytest.raises(InvalidStatus) as refused:
            async with connect(address, origin="http://evil.example", **options):  # type: ignore[arg-type]
                pass
        assert refused.value.response.status_code == 403
        async with connect(address, origin=desk.url, **options) as websocket:  # type: ignore[arg-type]
            await desk.strangers(1)
            assert "stranger_refused" in str(await websocket.recv())
            await browser.delete("/v1/session")
            await desk.strangers(1)
            with pytest.raises(ConnectionClosed):
                await websocket.recv()
            assert websocket.close_code == 1008
            assert str(websocket.close_reason).startswith("6000")

    with_technician(tmp_path, scenario)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def test_sessions_end_when_they_are_not_used_and_in_any_case_in_the_end(tmp_path: Path) -> None:
    clock = Clock()
    settings = GatewaySettings(session_idle_h=2.0, session_h=10.0)
    with contextlib.closing(Credentials(tmp_path, settings, now_s=clock)) as credentials:
        unused = credentials.begin_session("agent").secret
        used = credentials.begin_session("agent").secret
        for _ in range(9):
            clock.now_s += 3600.0
            assert credentials.session(used) is not None
        assert credentials.session(unused) is None
        clock.now_s += 3599.0
        assert credentials.session(used) is not None
        clock.now_s += 1.0
        assert credentials.session(used) is None
        set_back = credentials.begin_session("agent").secret
        clock.now_s -= 86400.0
        assert credentials.session(set_back) is None


def test_there_are_only_so_many_tokens_and_sessions(tmp_path: Path) -> None:
    clock = Clock()
    with contextlib.closing(Credentials(tmp_path, GatewaySettings(), now_s=clock)) as credentials:
        first = credentials.begin_session("agent").secret
        for _ in range(100):
            clock.now_s += 1.0
            last = credentials.begin_session("agent").secret
        assert credentials.session(first) is None
        assert credentials.session(last) is not None
        for number in range(100):
            credentials.make_token(str(number), "agent")
        with pytest.raises(ThirdringError, match="1004"):
            credentials.make_token("one more", "agent")


def test_waits_double_up_to_a_quarter_of_an_hour_and_are_forgotten() -> None:
    clock = Clock()
    throttle = Throttle(5, clock)
    waits = []
    for _ in range(12):
        throttle.failed("here")
        waits.append(throttle.wait_s("here"))
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert throttle.wait_s("there") == 0
    with pytest.raises(ThirdringError, match="6005"):
        throttle.check("here")
    clock.now_s += 3601.0
    throttle.failed("here")
    throttle.check("here")


def test_passwords_are_kept_salted_and_told_apart() -> None:
    kept = hash_password("caf\u00e9 au lait")
    assert kept != hash_password("caf\u00e9 au lait")
    assert password_matches("cafe\u0301 au lait", kept)
    assert not password_matches("cafe au lait", kept)


def test_the_command_shows_the_first_password_and_makes_a_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert main(["password", "--state", str(tmp_path), *arguments]) == 0
        return capsys.readouterr().out

    shown = said()
    assert (tmp_path / "first-password").read_text().strip() in shown
    assert said() == shown
    with contextlib.closing(Credentials(tmp_path, GatewaySettings())) as credentials:
        credentials.set_password("technician", NEW, must_change=False)
        session = credentials.begin_session("technician").secret
        assert "has been changed" in said()
        shown = said("--reset")
        assert (tmp_path / "first-password").read_text().strip() in shown
        assert credentials.session(session) is None
        assert not credentials.password_is("technician", NEW)
    assert main(["password", "--state", str(tmp_path / "none")]) == 2
