"""Write the reference documents from the code: ``nox -s docs``. With ``--check``: fail if one is stale."""

import dataclasses
import json
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

from thirdring.protocol.at.results import CME_TEXTS
from thirdring.protocol.at.table import TABLE
from thirdring.protocol.errors import ERRORS
from thirdring.protocol.events import EVENT_KINDS, Event
from thirdring.protocol.figures import FORMULAS
from thirdring_device.adapters.hid.simulator import families
from thirdring_device.adapters.hid.telephony import Telephony
from thirdring_device.adapters.prompts import load_catalogue
from thirdring_device.core.call import Call
from thirdring_device.core.judged import DeskSettings, JudgedCall
from thirdring_device.core.norms.base import Norm
from thirdring_device.gateway.api import error_map as http_map
from thirdring_device.gateway.api.metrics import METRIC_LABELS, Metrics
from thirdring_device.gateway.api.roles import ACCESS, ROLES, may
from thirdring_device.gateway.at import error_map as at_map
from thirdring_device.report.messages import words
from thirdring_device.settings import Settings, setting_descriptions, setting_views
from thirdring_hil.page import hil

DOCS = Path(__file__).parent
MADE = "Made from the code by `nox -s docs`; do not edit.\n"


def settings() -> Iterator[str]:
    yield f"# Settings\n\n{MADE}"
    yield "A settings file is TOML: a section in brackets, then `name = value`. An unknown name, a wrong type or a"
    yield "value outside its bounds is refused at the start, by name. *live*: a change takes effect at once when it"
    yield "is made over HTTP or AT; the others wait for the next start. In Chinese: [settings.zh.md](settings.zh.md).\n"
    section = ""
    for view in setting_views(Settings()):
        name, _, field = view.name.rpartition(".")
        if name != section:
            section = name
            yield f"\n## [{section}]\n\n| name | default | unit | bounds | live | meaning |\n|---|---|---|---|---|---|"
        bounds = ", ".join(view.choices) if view.choices else ""
        if view.low is not None or view.high is not None:
            bounds = f"{view.low:g} to {view.high:g}"
        default = f"`{view.default!r}`" if not isinstance(view.default, tuple) else f"`{list(view.default)}`"
        live = "yes" if view.live else ""
        yield f"| `{field}` | {default} | {view.unit} | {bounds} | {live} | {view.description} |"


def settings_zh() -> Iterator[str]:
    yield f"# 设置\n\n{MADE}"
    yield "与 [settings.md](settings.md) 相同，文字为中文；默认值、单位和范围见该页。“即时”：通过 HTTP 或 AT 更改后立即生效，"
    yield "其他设置在下次启动后生效。\n"
    words = setting_descriptions("zh")
    section = ""
    for view in setting_views(Settings()):
        name, _, field = view.name.rpartition(".")
        if name != section:
            section = name
            yield f"\n## [{section}]\n\n| 名称 | 即时 | 含义 |\n|---|---|---|"
        yield f"| `{field}` | {'是' if view.live else ''} | {words[view.name]} |"


def errors() -> Iterator[str]:
    yield f"# Errors\n\n{MADE}"
    yield "Every error has a number that never changes its meaning. Over HTTP it comes as `application/problem+json`"
    yield "with the status below; on the serial console as `ERROR` or `+CME ERROR`; in the SDK as an exception.\n"
    yield "| code | meaning | HTTP | serial console |\n|---|---|---|---|"
    for code, text in ERRORS.items():
        cme = at_map.cme_of(code)
        console = "`ERROR`" if cme is None else f"`+CME ERROR: {cme}` {CME_TEXTS[cme]}"
        yield f"| {code} | {text} | {http_map.status_of(code).value} | {console} |"


CONSOLE = """\
The console speaks ITU-T V.250 and 3GPP TS 27.007: on the pty `console` in the state folder, and on every port of
`serial.devices` (115200 8N1). Several consoles at once are independent; each keeps its settings until `ATZ`.

- A line begins with `AT` or `at`, ends with CR, LF or CRLF and holds 4096 characters; a longer one is answered
  `ERROR` and nothing of it runs. ESC, Ctrl-C and Ctrl-U throw a begun line away. `A/` repeats the last line.
- `?` reads, `=` sets, `=?` explains. A mistake in the command is answered `ERROR`, a failure to do it `ERROR` or,
  after `AT+CMEE=1`, `+CME ERROR: number`.
- Reports never stand between a command and its final code. A call reports `RING` with each ring the caller hears,
  then `+CLIP: "number",type,,,,validity` after `AT+CLIP=1`, all in one piece; its end `NO CARRIER`, `BUSY`
  or `NO ANSWER`. Only after `AT#URC=1`, for modem software takes them for part of an answer, each ring adds
  `#RING: ring,urgency`, and norms report `#NORM: rule,verdict,value,unit,threshold,reason,call_id`.
- With `serial.lock` a console answers only who it is until `AT#LOGIN="password"`, and reports nothing. It locks again when
  its host hangs up, after `serial.lock_idle_s` without a command, or by `AT#LOGOUT`. The password (8 to 64 characters) is set
  by `AT#PASSWORD` or on the unit by `thirdring-device console-password`, kept as a hash; after 5 wrong ones each further
  guess waits 30 s and then twice as long, up to 15 min, whichever console it comes by. `ATE0` keeps it off the screen.
- ModemManager on the host seizes every USB serial port that appears. `sdk/udev/77-mm-thirdring.rules`, copied to
  `/etc/udev/rules.d`, keeps it away from consoles whose USB manufacturer string is `Thirdring`; without it they may be used through it.
- In fields, strings stand in quotes; `\\22` is a quote, `\\5C` a backslash. Numbers have a point.
"""


def console() -> Iterator[str]:
    yield f"# Serial console\n\n{MADE}"
    yield CONSOLE
    yield "| command | forms | meaning |\n|---|---|---|"
    for spec in TABLE.values():
        forms = " ".join({"a": "act", "r": "?", "t": "=?", "s": "="}[form] for form in spec.forms)
        yield "| `{}` | {} | {} |".format(
            *(text.replace("|", "\\|") for text in (spec.syntax, forms, spec.help))
        )


def norms() -> Iterator[str]:
    yield f"# Norms\n\n{MADE}"
    yield "Every norm is judged while the call runs, again from its recording, and again from the journal, by the same"
    yield "code. A verdict is `met`, `warned` (crossed the early limit, then mended), `breached` or `not_applicable` with"
    yield "a reason. Prompts go to the agent, never to the customer: urgent ones always, others as `norms.prompt` says.\n"
    defaults = {view.name: f"{view.default} {view.unit}".strip() for view in setting_views(Settings())}
    english, chinese = words("en"), words("zh")
    call = JudgedCall(Call("", 1), DeskSettings(5.0))
    for norm in (*call.norms, *call.late):
        names = (language.named("rule", norm.rule) for language in (english, chinese))
        yield f"## `{norm.rule}`\n\n**{' / '.join(names)}.** {_rule(type(norm))}\n"
        yield f"Measured in {norm.unit}; from manual {norm.manuals.replace(' ', ', ')}.\n"
        for name in norm.numbers:
            yield f"- `norms.{name}`: {defaults[f'norms.{name}']}"
        for key in norm.prompts:
            said = (language.named("prompt", key) for language in (english, chinese))
            yield f"- prompt `{key}`: {' / '.join(said)}"
        yield ""


FIGURES = """\
`GET /v1/figures`, `AT#FIGURES` and `thirdring figures` compute these from the journal alone, each time anew: whoever
has the journal can compute them again. `tests/core/test_figures.py` computes a day of 1,000 calls by another way. A
call counts in the interval in which it came in, with all of its times; states of the agent count in the interval in
which they were. `null` is a figure without a denominator. Limits: section `figures` of [settings](settings.md).

Sources: *Cisco*: Cisco ICM and IP Contact Center Enterprise reporting guide, "Service Level Formulas" (there:
"negative impact of abandoned calls" and "ignore abandoned calls"). *Gans*: Gans, Koole, Mandelbaum, "Telephone Call
Centers: Tutorial, Review, and Research Prospects", MSOM 5 (2003). *CCAI*: Google Contact Center AI Platform, data
dictionary. *Ours*: definitions differ between vendors, this is the one used here.
"""

STAFFING = """
## Staffing and forecast

`GET /v1/staffing`, `AT#STAFFING`, `thirdring staffing`: Erlang C (A. K. Erlang, 1917; Gans, section 4.1). With A =
calls per hour times handling time / 3600 erlang and N agents, B(0) = 1, B(n) = A B(n-1) / (n + A B(n-1)), the
probability of waiting is C = B(N) / (1 - A/N (1 - B(N))), the service level 1 - C exp(-(N - A) T / handling time), the
average speed of answer C handling time / (N - A). N is the smallest that reaches the service level without exceeding
the occupancy; `scheduled` is N / (1 - shrinkage), rounded up. Nobody hangs up in this model, so it errs on the side of
more agents.

`GET /v1/forecast`, `AT#FORECAST`, `thirdring forecast`: for each hour of the week the mean number of offered calls in
the last whole weeks (Monday to Sunday, local time; at most `figures.forecast_weeks`, none before the first call), a
seasonal mean (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", section 5.2), and the agents that it
needs with the handling time of those weeks.
"""


def figures() -> Iterator[str]:
    yield f"# Key figures\n\n{MADE}"
    yield FIGURES
    yield "| figure | unit | formula | source |\n|---|---|---|---|"
    for name, formula in FORMULAS.items():
        source = formula.source.split(" ")[0].rstrip(",:").replace("Google", "CCAI")
        yield f"| `{name}` | {formula.unit} | {formula.formula} | {source.capitalize() if source == 'ours' else source} |"
    yield STAFFING


PROMPTS = """\
What the agent is told, in both languages, reviewed by reading this page. `GET /v1/prompts?call_id=` and
`AT#LIST=prompts,CALL` give the prompts of a call in words, in `firm.language` (a change counts at once) or the one
asked for; the events have the key. A team's own `prompts/zh.json` and `prompts/en.json` in the state folder replace
whole keys and add keys. The first wording whose conditions hold is used: `hours` of local time, `holiday` (public
holiday of the trunk's country), `line` (a number of at most `firm.internal_digits` digits is `internal`), `caller`
(`known` is a contact), `repeat` (has called before). Filled in: {firm} {department} {agent} of `[firm]` or who signed in,
{name} {surname} of the contact, {number}, {holiday}; what stands in [square brackets] is left out when none of its names is
known. `survey` is spoken to the customer, by espeak-ng unless the team
puts `announcements/survey-zh.wav` or `survey-en.wav` into the state folder; all others are for the agent alone.
"""


def prompts() -> Iterator[str]:
    yield f"# Prompts\n\n{MADE}"
    yield PROMPTS
    chinese, english = (load_catalogue(language) for language in ("zh", "en"))
    for key in chinese:
        yield f"\n## `{key}`\n\n| when | 中文 | English |\n|---|---|---|"
        for zh, en in zip(chinese.variants(key), english.variants(key), strict=True):
            when = ", ".join(f"{name} {value}" for name, value in zh.when.items()) or "otherwise"
            yield f"| {when} | {zh.text} | {en.text} |"


def _rule(norm: type[Norm]) -> str:
    """Return what the class says of its rule, without the rule's name in front."""
    text = _flow(norm.__doc__ or "").removeprefix(f"`{norm.rule}`: ")
    return text[:1].upper() + text[1:]


def events() -> Iterator[str]:
    yield f"# Events\n\n{MADE}"
    yield "In JSON every event also has `seq` (its number), `utc`, `kind`, `at_s` and `call_id`. *Derived* events are"
    yield "concluded by the core and come out again when the facts are replayed.\n"
    common = {field.name for field in dataclasses.fields(Event)}
    for kind, cls in EVENT_KINDS.items():
        note = " (derived)" if cls.derived else ""
        yield f"## `{kind}`{note}\n\n{_flow(cls.__doc__ or '')}\n"
        hints = typing.get_type_hints(cls)
        own = [field for field in dataclasses.fields(cls) if field.name not in common]
        for field in own:
            yield f"- `{field.name}`: {_type_name(hints[field.name])}"
        if own:
            yield ""


def _flow(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _type_name(hint: object) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " \\| ".join(f"`{value}`" for value in typing.get_args(hint))
    text = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    text = re.sub(r"thirdring\.protocol\.events\.\w+\.|collections\.abc\.|typing\.", "", text)
    return f"`{text}`"


def interop() -> Iterator[str]:
    yield "# Interoperability\n\nMade by `nox -s interop` from the tests that carry the mark `interop`; do not edit.\n"
    yield "Every row is a test with a real peer on loopback, run on each SIP stack named. The tests' files have the"
    yield "details; the stack of the appliance's image is built by `scripts/build-pjsua2`, the other is the wheel.\n"
    rows = json.loads((DOCS / "interop.json").read_text(encoding="utf-8"))
    stacks = sorted({stack for row in rows.values() for stack in row["stacks"]})
    yield f"| what | peer | {' | '.join(stacks)} | test |\n|---|---|{'---|' * len(stacks)}---|"
    for what, row in rows.items():
        results = " | ".join(row["stacks"].get(stack, "not run") for stack in stacks)
        tests = "<br>".join(f"`{test.partition('::')[2]}`" for test in row["tests"])
        yield f"| {what} | {row['peer']} | {results} | {tests} |"
    yield from _dtmf_relay()


def _dtmf_relay() -> Iterator[str]:
    noted = json.loads((DOCS / "dtmf_relay.json").read_text(encoding="utf-8"))
    yield "\n## Digits through a relay that loses packets\n"
    yield "Measured by `nox -s dtmf_relay`: a telephone of the bench calls the whole appliance, signalling and sound"
    yield "go through the relay, both ways at once. *Doubled* counts digits too many, *wrong* changed ones. The"
    yield "suite keeps RFC 4733 at none; the other two are as good as SIP's retransmissions and the concealment of"
    yield "what is lost make them (the bench's own ear conceals nothing).\n"
    yield "| SIP stack | method | way | digit, pause | sent | lost | doubled | wrong | packets | of them lost |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    methods = {"event": "RFC 4733", "info": "SIP INFO", "tone": "tones"}
    for stack, rows in noted.items():
        for row in rows:
            size = f"{row['digit_ms']}, {row['pause_ms']} ms"
            counts = " | ".join(str(row[name]) for name in ("sent", "lost", "doubled", "wrong", "packets"))
            lost = f"{row['packets_lost']} ({row['packets_lost'] / row['packets']:.1%})"
            yield f"| {stack} | {methods[row['method']]} | {row['way']} | {size} | {counts} | {lost} |"


def at_conformance() -> Iterator[str]:
    yield "# Conformance of the serial console\n"
    yield "Made by `nox -s at_conformance` from the tests that carry the mark `console`; do not edit.\n"
    yield "Every test speaks through a real pty to the console's own server, or to a whole appliance (clients). V.250:"
    yield "ITU-T V.250 (07/2003); 27.007: 3GPP TS 27.007; ours: what neither says and clients need; clients: their software, whole.\n"
    rows = json.loads((DOCS / "at-conformance.json").read_text(encoding="utf-8"))
    passed = sum(row["passed"] for row in rows.values())
    yield f"{passed} of {len(rows)} rules hold.\n"
    yield "| rule | from | result | test |\n|---|---|---|---|"
    for rule, row in sorted(rows.items(), key=lambda item: (_clause_order(item[1]["clause"]), item[0])):
        tests = "<br>".join(f"`{test.partition('::')[2]}`" for test in row["tests"])
        result = "passed" if row["passed"] else "**failed**"
        yield f"| {rule.replace('|', chr(92) + '|')} | {row['clause']} | {result} | {tests} |"


def _clause_order(clause: str) -> tuple[int, list[str]]:
    source, _, numbers = clause.partition(" ")
    order = {"V.250": 0, "27.007": 1, "ours": 2}.get(source, 3)
    return order, [f"{part:0>3}" for part in numbers.split(".")]


HEADSET = """\
The buttons and lamps of a USB headset work by its HID report descriptor (telephony usage page 0x0B, lamps 0x08), not
by a list of makers. `headset.buttons` says where they are; `headset_buttons_changed` tells when a headset comes, goes or cannot
be used, `headset_button` each press. A press is a request: the appliance has the last word and tells it by the lamps.

| button | while a call rings | in a call | with a call on hold | beside a waiting call |
|---|---|---|---|---|
| hook (lift, lay down) | answer | hang up | take back; laying down leaves it on hold | hang up the first, which leaves the second ringing |
| mute | | mute, unmute | | mute, unmute |
| flash, hold | | hold | take back | hold the first and take the second; then swap |
| drop | refuse | hang up | | refuse the second |
| reject (programmable button) | refuse | | | refuse the second |
| redial | | | | only without a call, if `headset.redial_button` |
| the only button of a headset that has one | answer | hang up | take back | hang up |
| keypad | | digits | | digits |

Lamps: `off_hook` while there is a call, held ones too (a headset that is told to go on-hook would end the call); `ring`;
`mute` and `microphone` while muted; `hold` with a call on hold; `speaker` with a call in talk; `on_line` as `off_hook`;
`ringer` (the headset rings itself) only without another call. A headset's answer to a lamp is not taken for a press.

On Linux the user of the appliance needs to read and write `/dev/hidraw*` of the headset, else error 4010 is told. A udev
rule that grants it: `KERNEL=="hidraw*", SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0b0e", MODE="0660", GROUP="thirdring"`.

## Families that are replayed

The simulator (`headset.button_family`, `AT#BTN`, `AT#LED?`, `POST /v1/headset/press`) has the report descriptors of real
devices and replays their reports; each is tested with every feature that it has. (p): pulses. Where a stream is not
public it is built from the descriptor, as said.
"""


def headset() -> Iterator[str]:
    yield f"# Headset buttons\n\n{MADE}"
    yield HEADSET
    yield "| family | device | buttons | lamps | descriptor from | streams |\n|---|---|---|---|---|---|"
    for name, family in families().items():
        telephony = Telephony(family.descriptor)
        buttons = ", ".join(
            f"{control} (p)" if control in telephony.relative else control
            for control in sorted(telephony.controls)
        )
        lamps = ", ".join(sorted(telephony.leds))
        device = f"{family.maker} {family.usb_id}".strip()
        yield (
            f"| `{name}` | {device} | {buttons} | {lamps} | {family.descriptor_source} | {family.stream_source} |"
        )


API_ROLES = """\
`device/thirdring_device/gateway/api/roles.py` has this table; the gateway lets nobody pass who is not in it, and
`tests/gateway/test_roles.py` asks every endpoint as nobody, as each role and as who must change the first password first.

Without token or session 401 (6000); with too small a role 403 (6002); with the first password 403 (6004). A session is
begun with `POST /v1/session`; its cookie is `HttpOnly` and `SameSite=Strict`, and requests other than `GET` carry its
`csrf_token` in `x-csrf-token` (403, 6006). It ends after `gateway.session_idle_h` without use and after
`gateway.session_h` in any case, when its role's password is changed, and it outlives a restart of the gateway. A token in
`Authorization: Bearer` needs no CSRF token: the one in the file `api-token` of the state folder is a technician's, others
are made with `POST /v1/tokens`, shown once, kept as a hash. After 5 wrong passwords from one address each further one
waits 30 s, 60 s, to 15 min (429, 6005, `Retry-After`).

The technician's first password is random, made at the first start, printed on the console, by `thirdring-device password
--state DIR` and `selftest --state DIR`, and must be changed before anything else; `password --reset` makes a new one. The
other roles cannot sign in until the technician gives them a password (`PUT /v1/accounts/{role}/password`).
"""


def api_roles() -> Iterator[str]:
    yield f"# Endpoints and roles\n\n{MADE}"
    yield API_ROLES
    yield f"| endpoint | no token | {' | '.join(ROLES)} |\n|---|---|{'---|' * len(ROLES)}"
    for key, need in ACCESS.items():
        nobody = "yes" if need == "public" else "401"
        roles = " | ".join("yes" if may(role, need) else "403" for role in ROLES)
        yield f"| `{key}` | {nobody} | {roles} |"
    yield "\nWhat is not under `/v1` and not named here (the page, `/docs`, `/openapi.json`) is public."


METRICS = """\
`GET /metrics` has the text format of Prometheus. Who may read it: whoever has a token or a session of any role (in
Prometheus: `authorization: {credentials_file: ...}`), with `gateway.metrics = "loopback"` also whoever asks from the unit
itself. Counters begin at nought with each start of the gateway; the engine's gauges are NaN while it does not answer.
`grafana.json` beside this page is a dashboard for Grafana (Dashboards, New, Import).
"""


def metrics() -> Iterator[str]:
    yield f"# Metrics\n\n{MADE}"
    yield METRICS
    yield "| name | type | labels | meaning |\n|---|---|---|---|"
    for family in Metrics().registry.collect():
        labels = ", ".join(f"`{name}`" for name in METRIC_LABELS.get(family.name, ()))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


DOCUMENTS = {
    "metrics.md": metrics,
    "api-roles.md": api_roles,
    "interop.md": interop,
    "at-conformance.md": at_conformance,
    "settings.md": settings,
    "settings.zh.md": settings_zh,
    "errors.md": errors,
    "events.md": events,
    "console.md": console,
    "headset.md": headset,
    "hil.md": hil,
    "norms.md": norms,
    "figures.md": figures,
    "prompts.md": prompts,
}


def stale() -> list[str]:
    """Return the documents that differ from what the code says now."""
    return [
        name
        for name, lines in DOCUMENTS.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != _text(lines())
    ]


def _text(lines: Iterator[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        for name in stale():
            print(f"docs/{name} is not what the code says: run nox -s docs")
        return 1 if stale() else 0
    for name, lines in DOCUMENTS.items():
        (DOCS / name).write_text(_text(lines()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
