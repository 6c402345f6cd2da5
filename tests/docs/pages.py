"""Reads the pages and runs what they show: each `sh` block, its announced statuses, the answer shown beneath.

Conventions of the pages: `# -> 201` beside or below a curl says its status, one for each curl of the block, in order; a `text` block
right after a `sh` block shows lines of what it prints, in order, `…` standing for what varies or is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SHOWN: Final = "127.0.0.1:8080"
"""The address that the pages show."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"# -> (\d{3})$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NOT_RUN = re.compile(r"^(make|creneau|\.venv|sudo|git|cp) ", re.MULTILINE)
_MARK: Final = "@@ block"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line it begins at."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Step:
    """A `sh` block that is run, and the answer that the page shows beneath it ("" when none)."""

    line: int
    script: str
    shown: str

    @property
    def announced(self) -> list[str]:
        """The statuses that the page says, in order."""
        return _STATUS.findall(self.script)


@dataclass(frozen=True)
class Ran:
    """What became of a step: what it printed, the statuses of its curls in order."""

    output: str
    statuses: list[str]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text("utf-8")
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in _FENCE.finditer(text)
    ]


def steps(page: Path) -> list[Step]:
    """What of a page is run: every `sh` block but those that install, start or administer (make, creneau…)."""
    found = blocks(page)
    after = [*found[1:], Block("", "", 0)]
    return [
        Step(one.line, one.text, next_.text if next_.language == "text" else "")
        for one, next_ in zip(found, after, strict=True)
        if one.language == "sh" and not _NOT_RUN.search(one.text)
    ]


def links(page: Path) -> list[str]:
    """Where a page leads, other sites left out."""
    prose = _FENCE.sub("", page.read_text("utf-8"))
    return [link for link in _LINK.findall(prose) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """The places of a page that a link can name: its titles as GitHub writes them, and `<a id>`."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    written = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return written | set(re.findall(r'<a id="([^"]+)">', text))


def run(page: Path, port: int, folder: Path) -> list[Ran]:
    """Run the steps of a page in one shell, against the server at that port; AssertionError with the shell's words when it stops."""
    said = folder / "statuses"
    _counting_curl(folder)
    script = ["set -eu"]
    for one in steps(page):
        script += [f"echo '{_MARK}'; echo '{_MARK}' >> \"$STATUSES\"", one.script]
    done = subprocess.run(
        ["sh", "-c", "\n".join(script).replace(SHOWN, f"127.0.0.1:{port}")],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "STATUSES": str(said), "LC_ALL": "C"},
        timeout=60,
    )
    output = done.stdout.decode().replace(f"127.0.0.1:{port}", SHOWN)
    assert done.returncode == 0, f"{page.name}: {done.stderr.decode()}\n{output[-2000:]}"
    printed = output.split(f"{_MARK}\n")[1:]
    statuses = said.read_text().split(f"{_MARK}\n")[1:]
    return [Ran(text, codes.split()) for text, codes in zip(printed, statuses, strict=True)]


def _counting_curl(folder: Path) -> None:
    """Put before the real curl one that notes each status."""
    real = shutil.which("curl")
    assert real is not None
    script = folder / "curl"
    script.write_text(
        "#!/bin/sh\n"
        f"answer=$({real} -sS -w '\\n%{{http_code}}' \"$@\") || exit\n"
        'printf "%s\\n" "${answer##*\n}" >> "$STATUSES"\n'
        'printf "%s\\n" "${answer%\n*}"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


def missing(shown: str, output: str) -> str | None:
    """The first line shown that the output has not, after those before it; None when all are there. Indents and last commas are nothing."""
    lines = iter(line.strip().rstrip(",") for line in output.replace("\r", "").splitlines())
    for line in shown.splitlines():
        pattern = ".*".join(re.escape(part) for part in line.strip().rstrip(",").split("…"))
        if line.strip() != "…" and not any(re.fullmatch(pattern, one) for one in lines):
            return line
    return None
