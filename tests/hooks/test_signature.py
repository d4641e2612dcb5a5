"""The signature, on the specification's own example and against forgeries."""

import base64
import json

import pytest

from thirdring.protocol.errors import AccessError, RequestError
from thirdring.protocol.events import CallIncoming, Record
from thirdring.protocol.hooks import hook_body, hook_key, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the specification's
ID, NOW_S = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
RECORD = Record(
    7, "2026-05-04T09:00:00.000Z", CallIncoming(at_s=1.0, call_id="c1", number="1", display_name="王女士")
)


def headers(body: bytes, **changes: str) -> dict[str, str]:
    made = {
        "Webhook-Id": ID,
        "Webhook-Timestamp": str(NOW_S),
        "Webhook-Signature": "v1a,other " + sign(hook_key(SECRET), ID, NOW_S, body),
    }
    return {**made, **changes}


def test_signature_of_the_specifications_example() -> None:
    signature = sign(hook_key(SECRET), ID, NOW_S, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signed_event_comes_back() -> None:
    body = hook_body(RECORD)
    assert json.loads(body)["timestamp"] == RECORD.utc
    assert verify(SECRET, headers(body), body, now_s=NOW_S + 299) == RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "msg_other"},
        {"Webhook-Timestamp": str(NOW_S + 1)},
        {"Webhook-Timestamp": "now"},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,AAAA"},
        {"Webhook-Signature": "v1,ü"},
    ],
)
def test_forgeries_are_refused(change: dict[str, str]) -> None:
    body = hook_body(RECORD)
    with pytest.raises(AccessError) as caught:
        verify(SECRET, headers(body, **change), body, now_s=NOW_S)
    assert caught.value.code == 6011


def test_other_bodies_secrets_and_times_are_refused() -> None:
    body = hook_body(RECORD)
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    for secret, sent, now_s in (
        (SECRET, body + b" ", NOW_S),
        (other, body, NOW_S),
        (SECRET, body, NOW_S + 301),
        (SECRET, body, NOW_S - 301),
    ):
        with pytest.raises(AccessError, match="6011"):
            verify(secret, headers(body), sent, now_s=now_s)


def test_a_signed_body_that_is_no_event_is_refused() -> None:
    with pytest.raises(RequestError):
        verify(SECRET, headers(b"[]"), b"[]", now_s=NOW_S)
