"""How far a long command has come: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SAID_EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""


class Advance:
    """Of `name`, so many `things` out of `all`; `bar` is to be entered first."""

    def __init__(self, name: str, things: str, all: int, done: int = 0) -> None:
        console = Console(stderr=True)
        self._terminal = console.is_terminal
        self._things, self._all, self._done = things, all, done
        columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=console, transient=True, disable=not self._terminal)
        self._task = self.bar.add_task("", total=all, completed=done)
        self._said = time.monotonic()

    def add(self, number: int) -> None:
        """So many more are done."""
        self._done += number
        self.bar.update(self._task, completed=self._done)
        if not self._terminal and time.monotonic() - self._said > SAID_EVERY:
            self._said = time.monotonic()
            print(f"creneau: {self._done} of {self._all} {self._things}", file=sys.stderr, flush=True)
