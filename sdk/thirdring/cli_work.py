"""The commands of ``thirdring`` about the work: agent, notes, contacts, call-backs, prompts, key figures."""

import argparse
import dataclasses
from typing import Any, Final

from thirdring.appliance import Appliance
from thirdring.cli_output import LAST, Adder, named, print_json, print_views
from thirdring.protocol.codec import to_fields
from thirdring.protocol.figures import FiguresRow
from thirdring.table import plain, table

__all__ = ["add"]

NOTE_FIELDS: Final = {
    "name": "the customer's name",
    "firm": "the customer's firm",
    "post": "the customer's post",
    "matter": "what it was about",
    "promised": "what was promised",
    "call_back": "when a promised call-back is due (ISO 8601)",
}
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def add(command: Adder) -> None:
    """Add these commands to those of the command line."""
    agent = command("agent", _agent)
    agent.add_argument("state", nargs="?", choices=("ready", "break", "away"), help="what the agent does now")
    agent.add_argument("--name", default="", help="who sits at the desk from now on")
    agent.add_argument("--reason", default="", help="in the agent's words")
    notes = command("notes", _notes)
    notes.add_argument("call", nargs="?", default="", help="the call's id (default: the newest calls)")
    command("contacts", _contacts).add_argument("number", nargs="?", default="", help="only this number")
    note = command("note", _note)
    note.add_argument("call", nargs="?", default=LAST, help="the call's id (default: the last call)")
    for field, text in NOTE_FIELDS.items():
        note.add_argument(f"--{field.replace('_', '-')}", default="", help=text)
    note.add_argument("--read-back", action="store_true", help="figures were read back")
    note.add_argument("--complaint", action="store_true", help="the customer complained")
    save = command("save-contact", _save_contact)
    save.add_argument("number")
    save.add_argument("name")
    for field in ("firm", "post", "remark"):
        save.add_argument(f"--{field}", default="")
    command("remove-contact", _remove_contact).add_argument("number")
    done = command("call-back-done", _call_back_done)
    done.add_argument("call", help="the id of the call that was promised one")
    call_backs = command("call-backs", _call_backs)
    call_backs.add_argument("--done", action="store_true", help="those that have happened")
    prompts = command("prompts", _prompts)
    prompts.add_argument("call", nargs="?", default=LAST, help="the call's id (default: the last call)")
    prompts.add_argument("--language", choices=("zh", "en"), default="", help="default: as set")
    figures = command("figures", _figures)
    figures.add_argument("--from", dest="start", default="", help="ISO 8601, local time (default: today)")
    figures.add_argument("--to", dest="end", default="", help="up to here (default: the next midnight)")
    figures.add_argument("--by", choices=("hour", "day", "agent", "all"), default="hour")
    figures.add_argument("--norms", action="store_true", help="how each norm was kept, instead")
    command("forecast", _forecast)
    staffing = command("staffing", _staffing)
    staffing.add_argument("calls_per_h", type=float, help="calls an hour")
    staffing.add_argument("--handling-time-s", type=float, help="of one call (default: as set)")


def _agent(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show or set what the agent does."""
    if options.state:
        appliance.set_agent_state(options.state, options.name, options.reason)
    state = appliance.state()
    if options.json:
        print_json({"agent_state": state.agent_state, "agent": state.agent})
    else:
        print(plain(f"{state.agent_state} {state.agent}".strip()))


def _notes(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show what was written down of calls."""
    print_views(appliance.notes(options.call), options)


def _note(appliance: Appliance, options: argparse.Namespace) -> None:
    """Write down what a call was about; replaces its notes as a whole."""
    texts = {field: getattr(options, field) for field in NOTE_FIELDS}
    appliance.take_notes(
        named(appliance, options.call), read_back=options.read_back, complaint=options.complaint, **texts
    )


def _save_contact(appliance: Appliance, options: argparse.Namespace) -> None:
    """Write a contact, replacing the one with the same number."""
    appliance.save_contact(
        options.number, options.name, firm=options.firm, post=options.post, remark=options.remark
    )


def _remove_contact(appliance: Appliance, options: argparse.Namespace) -> None:
    """Remove a contact."""
    appliance.remove_contact(options.number)


def _call_back_done(appliance: Appliance, options: argparse.Namespace) -> None:
    """Tick a call-back off."""
    appliance.finish_call_back(options.call)


def _contacts(appliance: Appliance, options: argparse.Namespace) -> None:
    """List the contacts."""
    print_views(appliance.contacts(options.number), options)


def _call_backs(appliance: Appliance, options: argparse.Namespace) -> None:
    """List who is to be called back, the most urgent first."""
    print_views(appliance.call_backs(done=options.done), options)


def _prompts(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show what the agent was told during a call, in words."""
    shown = appliance.prompts(named(appliance, options.call), options.language)
    if options.json:
        print_json([to_fields(view) for view in shown])
        return
    print(table(("TIME", "URGENCY", "NORM", "TEXT"), [(v.utc, v.urgency, v.rule, v.text) for v in shown]))


def _figures(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the key figures of the desk."""
    report = appliance.figures(options.start, options.end, options.by)
    if options.json:
        print_json(to_fields(report))
        return
    if options.norms:
        scores = report.total.norms.items()
        rows: list[tuple[Any, ...]] = [
            (rule, s.met_percent, s.met, s.warned, s.breached, s.not_applicable) for rule, s in scores
        ]
        print(table(("NORM", "MET %", "MET", "WARNED", "BREACHED", "NOT APPLICABLE"), rows))
        return
    header = (
        "FROM",
        "OFFERED",
        "ANSWERED",
        "ABANDONED",
        "SHORT",
        "SL %",
        "SL* %",
        "ASA s",
        "AHT s",
        "HOLD s",
    )
    more = ("OCC %", "TRANSFER %", "FCR %", "REPEATS")
    rows = [_figures_row(row) for row in (*report.rows, dataclasses.replace(report.total, label="all"))]
    print(table((*header, *more), rows))
    print(
        f"SL: answered within {report.answer_within_s:g} s of those offered; SL*: leaving out those given up"
    )
    print(f"before. SHORT: given up before {report.short_abandon_s:g} s. {plain(report.time_zone)}.")


def _figures_row(row: FiguresRow) -> tuple[Any, ...]:
    return (
        row.label,
        row.offered,
        row.answered,
        row.abandoned,
        row.short_abandoned,
        row.service_level_percent,
        row.service_level_ignoring_abandoned_percent,
        row.average_speed_of_answer_s,
        row.average_handling_time_s,
        row.hold_s,
        row.occupancy_percent,
        row.transferred_percent,
        row.first_call_resolution_percent,
        row.repeat_calls,
    )


def _forecast(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the calls that each hour of a week is expected to bring, and the agents it needs."""
    forecast = appliance.forecast()
    if options.json:
        print_json(to_fields(forecast))
        return
    header = ("DAY", "HOUR", "CALLS", "ERLANG", "AGENTS", "SCHEDULED", "SL %", "ASA s")
    rows = [
        (
            WEEKDAYS[hour.weekday],
            hour.hour,
            hour.calls,
            hour.staffing.load_erlang,
            hour.staffing.agents,
            hour.staffing.scheduled,
            hour.staffing.service_level_percent,
            hour.staffing.average_speed_of_answer_s,
        )
        for hour in forecast.hours
        if hour.calls
    ]
    print(table(header, rows))
    print(f"mean of {forecast.weeks} weeks; a call is handled in {forecast.handling_time_s:g} s")


def _staffing(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show how many agents a load of calls needs (Erlang C)."""
    needed = appliance.staffing(options.calls_per_h, options.handling_time_s)
    if options.json:
        print_json(to_fields(needed))
        return
    print("\n".join(f"{name:28}{plain(value)}" for name, value in to_fields(needed).items()))
