"""The host's command ``thirdring``.

Exit codes: 0 done, 2 wrong use, 130 interrupted; 10 + the family of the numbered error otherwise: 11 request,
12 call, 13 trunk, 14 media, 15 storage, 16 access, 17 appliance, 18 connection, 19 waited in vain.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from thirdring import cli_alone, cli_events, cli_headset, cli_hooks, cli_live, cli_unit, cli_work
from thirdring.aio import ReportForm
from thirdring.appliance import Appliance
from thirdring.cli_output import LAST, Run, named, print_call, print_json
from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.views import CallSummary, CallView
from thirdring.table import plain, table

__all__ = ["main"]

DEFAULT_URL: Final = "http://127.0.0.1:8080"
EXIT_INTERRUPTED: Final = 130

HINTS: Final[Mapping[int, str]] = {
    6000: "give the appliance's token: --token-file DIR/api-token, or THIRDRING_TOKEN",
    6020: "give the consoles' password: --token-file FILE, or THIRDRING_TOKEN",
    7000: "the gateway answers, but the engine does not: is the appliance starting?",
    8000: "is this the appliance? --url http://HOST:PORT or serial:/dev/NAME, or THIRDRING_URL",
}
"""What to try, by error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name the terminal cannot show
    if options.alone:
        options.run(None, options)
        return 0
    token = None if options.token_file else os.environ.get("THIRDRING_TOKEN")
    try:
        with Appliance(
            options.url, token, token_file=options.token_file, timeout_s=options.timeout_s
        ) as appliance:
            options.run(appliance, options)
            sys.stdout.flush()
    except ThirdringError as reason:
        print(f"thirdring: {plain(reason)}", file=sys.stderr)
        if reason.code in HINTS:
            print(f"thirdring: {HINTS[reason.code]}", file=sys.stderr)
        return 10 + reason.code // 1000
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="thirdring", description="Ask and drive a Thirdring desk appliance."
    )
    url = os.environ.get("THIRDRING_URL", DEFAULT_URL)
    parser.add_argument("--url", default=url, help=f"http://HOST:PORT or serial:/dev/NAME (default {url})")
    parser.add_argument(
        "--token-file",
        type=Path,
        default=os.environ.get("THIRDRING_TOKEN_FILE"),
        help="file with the token; otherwise THIRDRING_TOKEN is used",
    )
    parser.add_argument("--timeout-s", type=float, default=10.0, help="for one request (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="JSON in place of tables")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Run) -> argparse.ArgumentParser:
        text = (run.__doc__ or "").strip()
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run, alone=False)
        return added

    command("status", _status)
    calls = command("calls", _calls)
    calls.add_argument("--limit", type=int, default=20, help="how many at most (default %(default)s)")
    dial = command("dial", _dial)
    dial.add_argument("number", help="digits, *, #, a leading +")
    dial.add_argument("--withheld", action="store_true", help="keep our number from the other side")
    for name, run in (
        ("answer", _answer),
        ("hangup", _hangup),
        ("hold", _hold),
        ("resume", _resume),
        ("mute", _mute),
        ("unmute", _unmute),
        ("pause-recording", _pause_recording),
        ("resume-recording", _resume_recording),
    ):
        command(name, run).add_argument("call", nargs="?", default="", help="the call's id")
    command("swap", _swap)
    command("conference", _conference)
    command("redial", _redial)
    command("dtmf", _dtmf).add_argument("digits", help="0-9 A-D * #")
    command("forward", _forward).add_argument("target", help="a number")
    transfer = command("transfer", _transfer)
    transfer.add_argument("target", nargs="?", default="", help="a number (default: the other call)")
    transfer.add_argument("--consent", action="store_true", help="the customer was told and agrees")
    recordings = command("recordings", _recordings)
    recordings.add_argument("--limit", type=int, default=100, help="how many at most (default %(default)s)")
    recording = command("recording", _recording)
    recording.add_argument("call", nargs="?", default=LAST, help="the call's id (default: the last call)")
    recording.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    call = command("call", _call)
    norms = command("norms", _norms)
    report = command("report", _report)
    for judged in (call, norms, report):
        judged.add_argument("call", nargs="?", default=LAST, help="the call's id (default: the last call)")
    report.add_argument("--form", choices=("text", "json", "html"), default="text")
    for more in (cli_live, cli_events, cli_work, cli_headset, cli_hooks, cli_unit):
        more.add(command)
    cli_alone.add(command, parser)
    settings = command("settings", _settings)
    settings.add_argument(
        "changes", nargs="*", metavar="NAME[=VALUE]", help="show only these; =VALUE: change"
    )
    return parser


def _status(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the desk as it is now."""
    state = appliance.state()
    if options.json:
        print_json(to_fields(state))
        return
    code = f": {state.trunk_sip_code}" if state.trunk_sip_code >= 300 else ""
    trunk = f"{state.trunk}{code}" + (f" ({state.trunk_reason})" if state.trunk_reason else "")
    facts = [
        ("version", f"{state.version} on {state.board}, {state.sip_stack}"),
        ("trunk", trunk),
        ("storage", state.storage),
        ("strangers refused", state.strangers_refused),
        ("last event", state.last_event),
    ]
    print("\n".join(f"{name:18}{plain(value)}" for name, value in facts))
    if state.calls:
        rows = [(c.call_id, c.direction, _state(c), c.number, c.display_name, c.rings) for c in state.calls]
        print("\n" + table(("CALL", "DIRECTION", "STATE", "NUMBER", "NAME", "RINGS"), rows))


def _state(call: CallView) -> str:
    """Return a call's state with what else there is to know of it."""
    notes = (
        ("waiting", call.waiting),
        ("muted", call.muted),
        ("held by the customer", call.held_by_customer),
        ("conference", call.conference),
        ("recorded", call.recording == "on"),
        ("recording paused", call.recording == "paused"),
    )
    return ", ".join([call.state, *(note for note, is_so in notes if is_so)])


def _calls(appliance: Appliance, options: argparse.Namespace) -> None:
    """List the newest calls."""
    calls = appliance.calls(options.limit)
    if options.json:
        print_json([to_fields(call) for call in calls])
        return
    header = ("CALL", "STARTED", "DIRECTION", "NUMBER", "NAME", "RINGS", "WAIT s", "TALK s", "END")
    rows = [
        (*_who(call), call.rings_heard, call.wait_s, call.talk_s, call.cause or call.state) for call in calls
    ]
    print(table(header, rows))


def _call(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show a call and how it kept the norms."""
    detail = appliance.call(named(appliance, options.call))
    if options.json:
        print_json(to_fields(detail))
        return
    print("\n".join(f"{name:18}{plain(value)}" for name, value in to_fields(detail.call).items()))
    for verdict in detail.verdicts:
        print(f"{verdict.rule:18}{plain(verdict.verdict)}")


def _who(call: CallSummary) -> tuple[str, ...]:
    return (call.call_id, call.started_utc, call.direction, call.number, call.display_name)


def _dial(appliance: Appliance, options: argparse.Namespace) -> None:
    """Call a number."""
    print_call(appliance.dial(options.number, withheld=options.withheld), options)


def _answer(appliance: Appliance, options: argparse.Namespace) -> None:
    """Answer the call that rings."""
    print_call(appliance.answer(options.call), options)


def _hangup(appliance: Appliance, options: argparse.Namespace) -> None:
    """End, refuse or give up the call."""
    print_call(appliance.hangup(options.call), options)


def _hold(appliance: Appliance, options: argparse.Namespace) -> None:
    """Put the call on hold."""
    print_call(appliance.hold(options.call), options)


def _resume(appliance: Appliance, options: argparse.Namespace) -> None:
    """Take a held call back."""
    print_call(appliance.resume(options.call), options)


def _mute(appliance: Appliance, options: argparse.Namespace) -> None:
    """Keep the agent's microphone from the customer."""
    print_call(appliance.mute(options.call), options)


def _unmute(appliance: Appliance, options: argparse.Namespace) -> None:
    """Let the customer hear the agent again."""
    print_call(appliance.unmute(options.call), options)


def _pause_recording(appliance: Appliance, options: argparse.Namespace) -> None:
    """Record silence until resume-recording."""
    print_call(appliance.pause_recording(options.call), options)


def _resume_recording(appliance: Appliance, options: argparse.Namespace) -> None:
    """Record sound again."""
    print_call(appliance.resume_recording(options.call), options)


def _recordings(appliance: Appliance, options: argparse.Namespace) -> None:
    """List the recordings that are kept."""
    views = appliance.recordings(options.limit)
    if options.json:
        print_json([to_fields(view) for view in views])
        return
    rows = [(v.call_id, v.finished_utc, v.size_bytes, "yes" if v.encrypted else "no") for v in views]
    print(table(("CALL", "FINISHED", "BYTES", "SEALED"), rows))


def _recording(appliance: Appliance, options: argparse.Namespace) -> None:
    """Save the recording of a call, opened; the journal notes it."""
    call_id = named(appliance, options.call)
    appliance.save_recording(call_id, options.out)
    print_call(call_id, options)


def _swap(appliance: Appliance, options: argparse.Namespace) -> None:
    """Hold the call that is up and take the other one."""
    print_call(appliance.swap(), options)


def _conference(appliance: Appliance, options: argparse.Namespace) -> None:
    """Let the agent and both customers hear one another."""
    print_call(appliance.conference(), options)


def _redial(appliance: Appliance, options: argparse.Namespace) -> None:
    """Call the number that was dialled last."""
    print_call(appliance.redial(), options)


def _dtmf(appliance: Appliance, options: argparse.Namespace) -> None:
    """Send DTMF digits to the customer."""
    appliance.send_dtmf(options.digits)


def _forward(appliance: Appliance, options: argparse.Namespace) -> None:
    """Send the ringing call on to a number."""
    print_call(appliance.forward(options.target), options)


def _transfer(appliance: Appliance, options: argparse.Namespace) -> None:
    """Hand the customer on to a number or to the other call."""
    print_call(appliance.transfer(options.target, consent=options.consent), options)


def _norms(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show how a call kept the norms."""
    verdicts = appliance.norms(named(appliance, options.call))
    if options.json:
        print_json([to_fields(verdict) for verdict in verdicts])
        return
    rows = [(v.rule, v.verdict, v.value, v.threshold, v.unit, v.reason) for v in verdicts]
    print(table(("NORM", "VERDICT", "VALUE", "LIMIT", "UNIT", "REASON"), rows))


def _report(appliance: Appliance, options: argparse.Namespace) -> None:
    """Print the report of a call."""
    form: ReportForm = "json" if options.json else options.form
    sys.stdout.write(appliance.report(named(appliance, options.call), form).rstrip("\n") + "\n")


def _settings(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show settings, or change them."""
    views = appliance.settings()
    texts = dict(change.split("=", 1) for change in options.changes if "=" in change)
    if texts:
        now = {view.name: view.value for view in views}
        restart = appliance.set_settings({name: _value(text, now.get(name)) for name, text in texts.items()})
        if options.json:
            print_json({"restart_required": restart})
        else:
            print("changed; counts from the next start on" if restart else "changed")
        return
    shown = [view for view in views if not options.changes or view.name in options.changes]
    if unknown := set(options.changes) - {view.name for view in shown}:
        raise error(1005, ", ".join(sorted(unknown)))
    if options.json:
        print_json([to_fields(view) for view in shown])
        return
    rows = [(v.name, v.value, v.default, v.unit, "yes" if v.live else "", v.description) for v in shown]
    print(table(("SETTING", "VALUE", "DEFAULT", "UNIT", "LIVE", "MEANING"), rows))


def _value(text: str, now: Any) -> Any:
    """Return the new value of a setting that reads ``now``: text, a list split at commas, or JSON."""
    if isinstance(now, str):
        return text
    if isinstance(now, list):
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main())
