"""`creneau serve --workers N`: keeps N processes on one socket, begins again the one that died, replaces them one by one on SIGHUP.

REL-11, REL-32, docs/decisions/0013. The socket is opened once and inherited: a connection that waits on it is taken by whichever worker
is free, and none is lost when one leaves. The workers are new programs, not copies: after an upgrade SIGHUP starts the new version.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace

import msgspec

from creneau import access, wiring
from creneau.commands.serving import greeting
from creneau.commands.working import DRAIN, DRAIN_SECONDS, READY, Task
from creneau.config import Settings
from creneau.fhir.validation.package import UnreadablePackage
from creneau.http.server import bind
from creneau.store.contract import StoreUnavailable
from creneau.store.migrate import UnknownSchema

START_SECONDS = 60.0
"""Seconds a worker may take until it answers."""
PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to wait before a worker that died is begun again, the longer the more often it died young."""
YOUNG = 10.0
"""Seconds of life before which a death is taken for one of the start."""
LEEWAY = 2.0


class NotStarted(Exception):
    """A worker ended, or took too long, before it answered."""


@dataclass(slots=True, eq=False)
class Worker:
    """A running worker. `leaving`: it was asked to end, nobody takes its place when it does."""

    number: int
    process: asyncio.subprocess.Process
    control: socket.socket
    begun: float
    leaving: bool = False


@dataclass(slots=True)
class Crew:
    """The workers of one service, by number."""

    settings: Settings
    listening: socket.socket
    folder: str
    workers: dict[int, Worker] = field(default_factory=dict)
    starting: set[asyncio.subprocess.Process] = field(default_factory=set)
    keepers: set[asyncio.Task[None]] = field(default_factory=set)
    stopping: bool = False
    replacing: bool = False

    async def start(self) -> None:
        """Start every worker; NotStarted, and none is left, when one does not answer."""
        numbers = range(1, self.settings.workers + 1)
        failed: NotStarted | None = None
        for begun in await asyncio.gather(*map(self._begin, numbers), return_exceptions=True):
            if isinstance(begun, Worker):
                self._keep(begun)
            elif isinstance(begun, NotStarted):
                failed = begun
            else:
                raise begun
        if failed is not None:
            await self.stop()
            raise failed

    async def replace_all(self) -> None:
        """A new worker in the place of each, one after the other; the old one leaves when the new one answers (REL-32)."""
        if self.replacing or self.stopping:
            return
        self.replacing = True
        try:
            for number in sorted(self.workers):
                old = self.workers[number]
                new = await self._begin(number)
                self._keep(new)
                await self._dismiss(old)
                say(f"worker {number} replaced")
        except NotStarted as error:
            say(f"{error}; the workers that run go on")
        finally:
            self.replacing = False

    async def stop(self) -> int:
        """Ask all to finish what is in work, wait for them; 0 when all ended well."""
        self.stopping = True
        self.listening.close()
        for keeper in self.keepers:
            keeper.cancel()
        workers = [one.process for one in self.workers.values() if one.process.returncode is None]
        for process in (*workers, *self.starting):
            _signal(process, signal.SIGTERM)
        codes = await asyncio.gather(*(self._ended(process) for process in workers))
        await asyncio.gather(*(self._ended(process) for process in self.starting))
        return 0 if all(code == 0 for code in codes) else 1

    async def _begin(self, number: int) -> Worker:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            task = Task(number, asdict(self.settings), self.listening.fileno(), theirs.fileno(), self.folder)
            process = await _executed(task)
        worker = Worker(number, process, ours, asyncio.get_running_loop().time())
        self.starting.add(process)
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(task))
            process.stdin.close()
            async with asyncio.timeout(START_SECONDS):
                said = await asyncio.get_running_loop().sock_recv(ours, 1)
        except (OSError, TimeoutError):
            said = b""
        if said != READY:
            _signal(process, signal.SIGKILL)
            await process.wait()
            self.starting.discard(process)
            ours.close()
            raise NotStarted(f"worker {number} did not start")
        self.starting.discard(process)
        return worker

    def _keep(self, worker: Worker) -> None:
        self.workers[worker.number] = worker
        keeper = asyncio.create_task(self._watch(worker))
        self.keepers.add(keeper)
        keeper.add_done_callback(self.keepers.discard)

    async def _watch(self, worker: Worker) -> None:
        """Begin it again each time it ends without having been asked."""
        deaths = 0
        while True:
            code = await worker.process.wait()
            worker.control.close()
            if worker.leaving or self.stopping:
                return
            say(f"worker {worker.number} ended ({code}); begun again")
            lived = asyncio.get_running_loop().time() - worker.begun
            deaths = deaths + 1 if lived < YOUNG else 0
            worker = await self._again(worker.number, deaths)
            self.workers[worker.number] = worker

    async def _again(self, number: int, deaths: int) -> Worker:
        while True:
            await asyncio.sleep(PAUSES[min(deaths, len(PAUSES) - 1)])
            try:
                return await self._begin(number)
            except NotStarted as error:
                say(str(error))
                deaths += 1

    async def _dismiss(self, worker: Worker) -> None:
        worker.leaving = True
        with suppress(OSError):  # it may just have ended by itself
            await asyncio.get_running_loop().sock_sendall(worker.control, DRAIN)
        await self._ended(worker.process, DRAIN_SECONDS)

    async def _ended(self, process: asyncio.subprocess.Process, more: float = 0.0) -> int:
        limit = wiring.server_settings(self.settings).stop_seconds + LEEWAY + more
        try:
            async with asyncio.timeout(limit):
                return await process.wait()
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            return await process.wait()


def run(settings: Settings, *, welcome: bool = False) -> int:
    """Serve with several workers; the exit code: 0 after a clean stop, 1 when it could not start, the reason on one line."""
    try:
        access.may_listen(settings.host, unauthenticated=settings.unauthenticated)
        with (
            bind(wiring.server_settings(settings)) as listening,
            tempfile.TemporaryDirectory(prefix="creneau-") as folder,
        ):
            listening.listen(2048)
            key = settings.link_key or secrets.token_hex(32)
            chosen = replace(settings, port=listening.getsockname()[1], link_key=key)
            return asyncio.run(_serve(Crew(chosen, listening, folder), welcome=welcome))
    except (
        access.Exposed,
        UnreadablePackage,
        UnknownSchema,
        StoreUnavailable,
        NotStarted,
        OSError,
    ) as error:
        print(f"creneau: {error}", file=sys.stderr)
        return 1


async def _serve(crew: Crew, *, welcome: bool) -> int:
    """Prepare the database once, start the workers, wait for signals."""
    asked: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(one, asked.put_nowait, one)
    store = await wiring.open_store(crew.settings)
    try:
        await wiring.indexed(store, wiring.world(crew.settings, store))
    finally:
        await store.close()
    await crew.start()
    print(greeting(crew.settings, welcome=welcome), file=sys.stderr, flush=True)
    replacing: asyncio.Task[None] | None = None
    while (await asked.get()) == signal.SIGHUP:
        replacing = asyncio.create_task(crew.replace_all())
    if replacing is not None:
        replacing.cancel()
    return await crew.stop()


def say(line: str) -> None:
    """A line for the administrator."""
    print(f"creneau: {line}", file=sys.stderr, flush=True)


async def _executed(task: Task) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "creneau.commands.working",
        stdin=asyncio.subprocess.PIPE,
        pass_fds=(task.listening, task.control),
        start_new_session=True,  # Ctrl-C asks the supervisor, which asks them
    )


def _signal(process: asyncio.subprocess.Process, sign: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(sign)
