"""`python -m torture [--store STORE] [--workers N] [--short] [NAME ...]`: see `docs/reliability.md`. Exit 1 on any finding."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import environment

from torture import report
from torture.ground import STORES, Setting
from torture.runner import SEED, Wanted, run
from torture.soak import soak
from torture.table import SCENARIOS, chosen


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    names = ", ".join(one.name for one in SCENARIOS)
    parser = argparse.ArgumentParser(prog="python -m torture", description="Tries to break a Creneau server.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"scenarios to run (default all): {names}")
    parser.add_argument("--store", choices=STORES, default="sqlite", help="what the server keeps its data in")
    parser.add_argument("--workers", type=int, default=1, help="processes that serve")
    parser.add_argument("--short", action="store_true", help="few rounds: under a minute in all")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        help="multiplies every time limit, for a machine that does other things as well",
    )
    parser.add_argument("--seed", type=int, default=SEED, help="seed of what is drawn by chance")
    parser.add_argument(
        "--earlier", type=Path, help="a checkout of an earlier version, that rolling-upgrade begins with"
    )
    parser.add_argument(
        "--dir", type=Path, help="where the databases are put (default: the system's temporary directory)"
    )
    parser.add_argument(
        "--histories", type=Path, help="directory to keep the histories in, one JSON line an event"
    )
    parser.add_argument(
        "--report", type=Path, help="page to write, with its JSON beside it; other settings' runs stay"
    )
    parser.add_argument(
        "--render", action="store_true", help="write the page of --report again from its JSON, run nothing"
    )
    return parser


def soaking() -> argparse.ArgumentParser:
    """The command line of `soak`."""
    parser = argparse.ArgumentParser(prog="python -m torture soak", description="Half the load, for minutes.")
    parser.add_argument("--store", choices=STORES, default="sqlite", help="what the server keeps its data in")
    parser.add_argument("--workers", type=int, default=1, help="processes that serve")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--report", type=Path, help="page to write, its JSON and a chart beside it")
    return parser


def soaked(given: Sequence[str]) -> int:
    """Soak; 0 when nothing was found, 1 otherwise."""
    asked = soaking().parse_args(given)
    with tempfile.TemporaryDirectory(prefix="creneau-soak-") as name:
        result = soak(Setting(asked.store, asked.workers), asked.minutes, Path(name), progress)
        result["environment"] = environment(Path(name))
    told = ("rate", "answers", "memory_mib", "memory_slope_mib_h", "descriptors_slope_h")
    print(", ".join(f"{key} {result[key]}" for key in told))
    for line in result["findings"]:
        print(f"FINDING {line}")
    if asked.report is not None:
        report.write_soak(result, asked.report)
    return 1 if result["findings"] else 0


def progress(line: str) -> None:
    """How it goes: on a terminal only."""
    if sys.stderr.isatty():
        print(f"torture: {line}", file=sys.stderr, flush=True)


def main(arguments_given: Sequence[str] | None = None) -> int:
    """Run; 0 when nothing was found, 1 otherwise, 2 when the command line is wrong."""
    given = sys.argv[1:] if arguments_given is None else arguments_given
    if given[:1] == ["soak"]:
        return soaked(given[1:])
    asked = arguments().parse_args(given)
    if asked.render:
        report.rendered(asked.report)
        return 0
    try:
        setting = Setting(asked.store, asked.workers)
        scenarios = chosen(asked.names, setting)
    except ValueError as error:
        print(f"torture: {error}", file=sys.stderr)
        return 2
    wanted = Wanted(
        setting, asked.short, asked.seed, asked.dir, asked.histories, asked.patience, earlier=asked.earlier
    )
    results = run(scenarios, wanted, progress)
    print(report.table(results))
    for line in report.findings(results):
        print(f"FINDING {line}")
    if asked.report is not None:
        where = environment(asked.dir or Path(tempfile.gettempdir()))
        run_of = {"store": setting.store, "workers": setting.workers, "short": asked.short}
        report.write({**run_of, "environment": where, "results": results}, asked.report)
    return 1 if report.findings(results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
