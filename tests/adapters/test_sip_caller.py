"""Who calls, and what the call asks for."""

import pytest

from thirdring_device.adapters.sip.caller import Caller, answer_after_s, caller_of, header_values

FROM = '"Wang" <sip:13800138000@10.0.0.1>;tag=1'


def invite(*headers: str) -> str:
    return "\r\n".join(["INVITE sip:desk@x SIP/2.0", *headers, "Content-Length: 0", "", "v=0", "a: 1"])


def caller(*headers: str, trust: bool = True, said: str = FROM) -> Caller:
    return caller_of(invite(*headers), said, trust_asserted=trust)


def test_asserted_identity_counts_only_on_a_trusted_trunk() -> None:
    header = 'P-Asserted-Identity: "Li" <sip:+862155501@trunk>, <tel:+862155501>'
    assert caller(header) == Caller("+862155501", "Li", "sip:+862155501@trunk", withheld=False, asserted=True)
    assert caller(header, trust=False).number == "13800138000"
    assert not caller(header, trust=False).asserted
    assert caller("p-asserted-identity: <tel:+862155501>").number == "+862155501"
    assert caller("P-Asserted-Identity: <sip:trunk.example>").number == "13800138000"


@pytest.mark.parametrize("privacy", ["id", "user;critical", "header", "session; id"])
def test_privacy_withholds_whatever_else_was_sent(privacy: str) -> None:
    found = caller(f"Privacy: {privacy}", "P-Asserted-Identity: <tel:+862155501>")
    assert found == Caller("", "", "", withheld=True, asserted=False)


@pytest.mark.parametrize(
    ("said", "withheld"),
    [
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', True),
        ("<sip:c8oqz84zk7z@anonymous.invalid>", True),
        ("<sip:restricted@x>", True),
        ("<sip:unknown@x>", False),
        ("<sip:x.example>", False),
        (FROM, False),
    ],
)
def test_anonymous_caller_is_told_from_one_without_a_number(said: str, withheld: bool) -> None:
    found = caller("Privacy: none", said=said)
    assert found.withheld == withheld
    assert bool(found.number) == (said == FROM)


@pytest.mark.parametrize(
    ("header", "after_s"),
    [
        ("Call-Info: <sip:x>;answer-after=0", 0.0),
        ('Call-Info: <sip:x>; answer-after = "2"', 2.0),
        ("Call-Info: <sip:x>\r\n ;answer-after=5", 5.0),
        ("Call-Info: <sip:x>;answer-after=600", None),
        ("Alert-Info: <http://x>;info=alert-autoanswer", 0.0),
        ("Alert-Info: <http://x>;info=bellcore-dr1", None),
        ("Subject: answer-after=0", None),
    ],
)
def test_answer_after_is_read_from_its_own_header(header: str, after_s: float | None) -> None:
    assert answer_after_s(invite(header)) == after_s


def test_headers_end_where_the_body_begins() -> None:
    assert header_values(invite("A: 2"), "a") == ["2"]
