"""``thirdring-device plans``: list, show and play the national tone plans."""

import argparse
import sys
from pathlib import Path

import soundfile

from thirdring.protocol.errors import ThirdringError, error
from thirdring_dsp import tone_plans
from thirdring_dsp.tone_plans import Segment, Tone

__all__ = ["add_parser", "run"]

DEFAULT_DURATION_S = 10.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the ``plans`` command."""
    parser = subparsers.add_parser("plans", help="show or play the tones of national networks")
    commands = parser.add_subparsers(dest="plans_command", required=True)
    commands.add_parser("list", help="every country and what one ring is there")
    show = commands.add_parser("show", help="every tone of a country, with the sources")
    show.add_argument("country", help="ISO 3166-1 code, for example CN")
    render = commands.add_parser("render", help="write a tone to a WAV file")
    render.add_argument("country", help="ISO 3166-1 code, for example CN")
    render.add_argument("tone", choices=tone_plans.TONE_KINDS)
    render.add_argument("--out", type=Path, required=True, metavar="FILE.wav")
    render.add_argument("--seconds", type=float, default=DEFAULT_DURATION_S)
    render.add_argument("--level-dbm0", type=float, default=-13.0)
    render.add_argument("--rate-hz", type=int, default=8000)
    parser.set_defaults(function=run)


def _segment(segment: Segment) -> str:
    if segment.is_silence:
        sound = "silence"
    else:
        sound = "+".join(f"{f:g}" for f in segment.frequencies_hz) + " Hz"
        if segment.modulation_hz:
            sound += f" modulated at {segment.modulation_hz:g} Hz"
    length = "" if segment.duration_s == float("inf") else f" {segment.duration_s:g} s"
    return sound + length


def describe(tone: Tone) -> str:
    """Return a tone in words: ``450 Hz 1 s, silence 4 s``."""
    words = ", ".join(_segment(segment) for segment in tone.segments)
    return words if len(tone.segments) > 1 or not tone.is_endless else f"{words}, continuous"


def _show(country: str) -> list[str]:
    plan = tone_plans.plan(country)
    lines = [f"{plan.country_code}  {plan.name}", tone_plans.explain_ring(country), ""]
    lines += [f"{tone.kind:20} {describe(tone)}" for tone in plan.tones]
    lines += [
        "",
        f"Frequencies +-{plan.frequency_tolerance_hz:g} Hz, times +-{plan.cadence_tolerance:.0%}.",
    ]
    return lines + [f"Source: {source}" for source in plan.sources]


def _refuse(reason: ThirdringError) -> int:
    sys.stderr.write(f"thirdring-device plans: {reason}\n")
    return 2


def run(args: argparse.Namespace) -> int:
    """Carry the command out; 2 when the country, the tone or the file will not do."""
    try:
        if args.plans_command == "list":
            lines = [f"{c}  {tone_plans.explain_ring(c)}" for c in tone_plans.countries()]
        elif args.plans_command == "show":
            lines = _show(args.country)
        else:
            tone = tone_plans.plan(args.country).tone(args.tone)
            samples = tone_plans.render(tone, args.rate_hz, args.seconds, args.level_dbm0)
            soundfile.write(args.out, samples, args.rate_hz, subtype="PCM_16")
            lines = [f"{args.out}: {describe(tone)}"]
    except ValueError as reason:
        return _refuse(error(1004, str(reason)))
    except (OSError, soundfile.LibsndfileError) as reason:
        return _refuse(error(5008, str(reason)))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
