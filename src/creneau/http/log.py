"""The log: one JSON line per request on stderr, and the traces of our own faults.

SEC-40, SEC-46, REL: no id, no query string, no value of a client; what a line holds comes from our tables, or is a number. Lines
are gathered and written together some milliseconds later, so that a slow reader of stderr does not slow a request.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Final

import msgspec

from creneau.http.links import SEALED
from creneau.http.request import OURS
from creneau.search import parameters

GATHER: Final = 0.02
"""Seconds for which lines wait to be written together."""
TOGETHER: Final = 4_000
"""Characters (ASCII, as JSON is written for the log) written at once: up to 4,096 bytes a pipe shared by workers does not mix them."""

CONTROLS: Final = OURS | {
    *(
        "_id",
        "_lastUpdated",
        "_tag",
        "_profile",
        "_security",
        "_count",
        "_sort",
        "_total",
        "_summary",
        "_elements",
    ),
    *("_include", "_revinclude", "_has", "_page", "_since", "_at", "profile", "mode", SEALED),
}
"""Parameters of no type in particular that a line may name."""


def known_names(types: Iterable[str]) -> frozenset[str]:
    """The parameter names that a line may hold: those of our tables."""
    return CONTROLS | {row.code for type in types for row in parameters.parameters(type)}


class Line(msgspec.Struct, rename={"bytes_in": "in", "bytes_out": "out"}):
    """One line of a request. All texts come from our tables, but for `request`, whose characters were looked at."""

    request: str
    method: str
    route: str
    interaction: str
    type: str
    flow: str
    parameters: list[str]
    status: int
    ms: float
    bytes_in: int
    bytes_out: int
    time: str = ""
    event: str = "request"


class Log:
    """Writes lines; `names` are the parameter names that may appear, others are counted as "?"."""

    def __init__(self, names: frozenset[str], stream: IO[str] | None = None) -> None:
        self._names = names
        self._stream = stream
        self._lines: list[str] = []
        self._encoder = msgspec.json.Encoder()

    def request(self, line: Line) -> None:
        """One line of a request; its time is now."""
        line.time = _now()
        self._write(line)

    def fault(self, request_id: str, error: BaseException) -> None:
        """The trace of our own fault: where, and of which kind; never the message, which may quote a value."""
        self._write(
            {
                "time": _now(),
                "event": "fault",
                "request": request_id,
                "kind": type(error).__name__,
                "trace": frames(error.__traceback__),
            }
        )
        self.flush()

    def parameter_names(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """The names asked for, without modifiers or chains, sorted; those unknown to our tables as "?"."""
        if not pairs:
            return []
        heads = {_HEAD.split(name, maxsplit=1)[0] for name, _ in pairs}
        return sorted({head if head in self._names else "?" for head in heads})

    def _write(self, fields: Line | Mapping[str, object]) -> None:
        self._lines.append(self._encoder.encode(fields).decode() + "\n")
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_later(GATHER, self.flush)
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        stream = self._stream or sys.stderr
        for piece in _pieces(lines):
            stream.write(piece)
            stream.flush()


def _pieces(lines: list[str]) -> Iterator[str]:
    """Whole lines, as many together as are written at once."""
    piece: list[str] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > TOGETHER:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    yield "".join(piece)


_HEAD = re.compile(r"[.:]")


def frames(trace: TracebackType | None) -> list[str]:
    """Where a fault passed, innermost last: file, line, function."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


_second = [0, ""]


def _now() -> str:
    moment = time.time()
    second = int(moment)
    if second != _second[0]:
        _second[:] = [second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))]
    return f"{_second[1]}.{int((moment - second) * 1000):03d}Z"


class JsonHandler(logging.Handler):
    """Lines of libraries (the socket server's), as JSON; of an exception only where and of which kind."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; its arguments are ours (addresses, numbers), never a client's."""
        if record.exc_info and record.exc_info[1] is not None:
            self._log.fault("", record.exc_info[1])
            return
        self._log._write(
            {"time": _now(), "event": record.name, "level": record.levelname, "text": record.getMessage()}
        )
