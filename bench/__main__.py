"""`python -m bench run | budget`: see `docs/benchmark.md`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from bench import mix, report
from bench.budget import GROWTH, budget
from bench.budget import Wanted as BudgetWanted
from bench.budgets import over
from bench.connection import Lost
from bench.measure import Shape
from bench.run import Wanted, run
from bench.seed import SeedRefused
from bench.server import NotStarted
from bench.wire import target


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Benchmark of FHIR calendar servers."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="drive any FHIR base URL with a stated mix")
    one.add_argument(
        "--base", required=True, type=str, help="FHIR base URL, such as http://127.0.0.1:8080/fhir"
    )
    one.add_argument(
        "--pid", type=int, help="pid of the server, to read its CPU time and memory (children included)"
    )
    one.add_argument(
        "--mix", default="read=80,create=15,update=5", type=_mix, help=f"of {', '.join(mix.OPERATIONS)}"
    )
    one.add_argument("--rate", type=float, help="open loop: requests due a second, whatever the server does")
    one.add_argument(
        "--header", action="append", default=[], help='sent with each request: "Authorization: Bearer ..."'
    )
    one.add_argument("--people", type=int, default=50, help="practitioners and patients to seed")
    one.add_argument("--appointments", type=int, default=500, help="appointments to seed")
    ours = commands.add_parser(
        "budget", help="start our server on a fresh file and measure the budgets of the design"
    )
    ours.add_argument("--operations", default="read,create,update", help=f"of {', '.join(mix.OPERATIONS)}")
    ours.add_argument(
        "--growth", action="store_true", help=f"cost at {', '.join(map(str, GROWTH))} appointments as well"
    )
    ours.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    ours.add_argument(
        "--dir", type=Path, help="where the database is put (default: the system's temporary directory)"
    )
    ours.add_argument("--people", type=int, default=200, help="practitioners and patients to seed")
    ours.add_argument("--appointments", type=int, default=2000, help="appointments to seed")
    for each, seconds, rounds in ((one, 10.0, 1), (ours, 2.0, 5)):
        each.add_argument("--clients", type=int, default=16)
        each.add_argument("--seconds", type=float, default=seconds, help="of one run")
        each.add_argument("--rounds", type=int, default=rounds)
        each.add_argument("--out", type=Path, help="directory for bench.json, bench.md and bench.svg")
    return parser


def _mix(text: str) -> dict[str, float]:
    try:
        return mix.parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def measured(asked: argparse.Namespace) -> dict[str, Any]:
    """Do what the command line asks."""
    if asked.command == "run":
        shape = Shape(asked.clients, asked.seconds, asked.rate)
        aim = target(asked.base, tuple(asked.header))
        return run(
            Wanted(aim, asked.pid, asked.mix, shape, asked.rounds, asked.people, asked.appointments), say
        )
    return budget(
        BudgetWanted(
            operations=tuple(mix.parsed(asked.operations)),
            rounds=asked.rounds,
            shape=Shape(asked.clients, asked.seconds),
            people=asked.people,
            appointments=asked.appointments,
            growth=GROWTH if asked.growth else (),
            directory=asked.dir,
        ),
        say,
    )


def say(line: str) -> None:
    """How it goes, on standard error."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Run; 0 when measured, 1 when a budget is over and `--check` was given, 2 when it could not be measured."""
    asked = arguments().parse_args()
    try:
        result = measured(asked)
    except (SeedRefused, NotStarted, Lost, OSError, ValueError) as error:
        say(f"{type(error).__name__}: {error}")
        return 2
    print(report.text(result))
    if asked.out is not None:
        say("written: " + ", ".join(str(one) for one in report.write(result, asked.out)))
    failed = any(over(row) for row in result["operations"])
    return 1 if failed and getattr(asked, "check", False) else 0


if __name__ == "__main__":
    raise SystemExit(main())
