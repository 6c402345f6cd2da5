"""`python -m bench run | budget | national | stores`: see `docs/benchmark.md`."""

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
from bench.mix import OPERATIONS
from bench.national import Wanted as NationalWanted
from bench.national import national
from bench.run import Wanted, run
from bench.seed import SeedRefused
from bench.server import NotStarted
from bench.stores import Wanted as StoresWanted
from bench.stores import stores
from bench.wire import target

COMMON = {
    "seconds": "of one run",
    "rounds": "how often each is run",
    "people": "practitioners (each with an agenda) and patients to seed",
    "appointments": "appointments to seed",
}


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Benchmark of FHIR calendar servers."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _any_server(commands.add_parser("run", help="drive any FHIR base URL with a stated mix"))
    _ours(
        commands.add_parser(
            "budget", help="start our server on a fresh file, measure the budgets of the design"
        )
    )
    _country(commands.add_parser("national", help="our server on the national demo, some 300,000 agendas"))
    _stores(
        commands.add_parser("stores", help="SQLite, PostgreSQL with one and with several workers, in one run")
    )
    return parser


def _stores(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--operations", default="read,create,update,page25,slots25", help=f"of {', '.join(OPERATIONS)}"
    )
    one.add_argument(
        "--workers", default="1,4", help="with how many workers PostgreSQL is served, one after the other"
    )
    one.add_argument("--dir", type=Path, help="where the database is put (default: the temporary directory)")
    _common(one, seconds=2.0, rounds=5, people=200, appointments=2_000)


def _country(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--database", type=Path, help="SQLite file, loaded when it is not there; appointments are added to it"
    )
    one.add_argument("--agendas", type=int, default=300_000, help="of a base that is to be loaded")
    one.add_argument("--growth", action="store_true", help="cost on smaller countries as well")
    one.add_argument("--dir", type=Path, help="where temporary databases are put")
    one.add_argument("--clients", type=int, default=8)
    one.add_argument("--out", type=Path, help="directory for bench.json, bench.md, bench.svg and growth.svg")
    one.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    for name, default in (("seconds", 3.0), ("rounds", 3)):
        one.add_argument(f"--{name}", type=type(default), default=default, help=COMMON[name])


def _any_server(one: argparse.ArgumentParser) -> None:
    one.add_argument("--base", required=True, help="FHIR base URL, such as http://127.0.0.1:8080/fhir")
    one.add_argument(
        "--pid", type=int, help="pid of the server, to read its CPU time and memory (children included)"
    )
    one.add_argument(
        "--mix", default="read=80,create=15,update=5", type=_mix, help=f"of {', '.join(OPERATIONS)}"
    )
    one.add_argument("--rate", type=float, help="open loop: requests due a second, whatever the server does")
    one.add_argument(
        "--header", action="append", default=[], help='with each request: "Authorization: Bearer ..."'
    )
    _common(one, seconds=10.0, rounds=1, people=50, appointments=500)


def _ours(one: argparse.ArgumentParser) -> None:
    one.add_argument("--operations", default="read,create,update", help=f"of {', '.join(OPERATIONS)}")
    one.add_argument(
        "--growth", action="store_true", help=f"cost at {', '.join(map(str, GROWTH))} appointments as well"
    )
    one.add_argument(
        "--most", type=int, default=100_000, help="appointments at the most for --growth, up to 1,000,000"
    )
    one.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    one.add_argument("--dir", type=Path, help="where the database is put (default: the temporary directory)")
    _common(one, seconds=2.0, rounds=5, people=200, appointments=2_000)


def _common(one: argparse.ArgumentParser, **defaults: float) -> None:
    one.add_argument("--clients", type=int, default=16)
    one.add_argument("--out", type=Path, help="directory for bench.json, bench.md and bench.svg")
    for name, default in defaults.items():
        one.add_argument(f"--{name}", type=type(default), default=default, help=COMMON[name])


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
    if asked.command == "national":
        shape = Shape(asked.clients, asked.seconds)
        wanted = NationalWanted(asked.database, asked.agendas, asked.rounds, shape, asked.growth, asked.dir)
        return national(wanted, say)
    if asked.command == "stores":
        return stores(
            StoresWanted(
                tuple(mix.parsed(asked.operations)),
                asked.rounds,
                Shape(asked.clients, asked.seconds),
                asked.people,
                asked.appointments,
                tuple(map(int, asked.workers.split(","))),
                asked.dir,
            ),
            say,
        )
    return budget(
        BudgetWanted(
            operations=tuple(mix.parsed(asked.operations)),
            rounds=asked.rounds,
            shape=Shape(asked.clients, asked.seconds),
            people=asked.people,
            appointments=asked.appointments,
            growth=tuple(size for size in GROWTH if size <= asked.most) if asked.growth else (),
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
