"""A client of the FHIR interface for tests: the real server in a process of its own, real sockets, nothing of the product imported."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CREATED, OK = 201, 200


@dataclass
class Reply:
    """An answer: status, headers with lower-case names, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return str(self.json["id"])

    @property
    def keys(self) -> list[str]:
        """Our stable codes in an OperationOutcome."""
        return [one["details"]["coding"][0]["code"] for one in self.json["issue"]]

    @property
    def places(self) -> list[str]:
        """The expressions in an OperationOutcome."""
        return [place for one in self.json["issue"] for place in one.get("expression", [])]

    @property
    def version(self) -> str:
        return self.headers["etag"].removeprefix('W/"').rstrip('"')


@dataclass
class Server:
    """One `creneau serve` on a free port."""

    database: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    log: Path | None = None

    def start(self) -> Server:
        command = [
            sys.executable,
            "-m",
            "creneau",
            "serve",
            "--port",
            "0",
            "--database",
            self.database,
            *self.options,
        ]
        assert self.log is not None
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        offset = self.log.stat().st_size
        self._wait(offset)
        return self

    def _wait(self, offset: int) -> None:
        assert self.log is not None and self.process is not None
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            found = re.findall(rb"http://127\.0\.0\.1:(\d+)/fhir", self.log.read_bytes())
            if found:
                self.port = int(found[-1])
                if self._ready():
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def _ready(self) -> bool:
        try:
            return self.call("GET", "/health/ready", base="").status == OK
        except OSError:
            return False

    def stop(self, sign: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(sign)
        return self.process.wait(30)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def call(self, method: str, path: str, body: Any = None, *, base: str = "/fhir", **headers: str) -> Reply:
        """One request; a dict or list is sent as FHIR JSON. Header names take _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict | list):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/fhir+json")
        try:
            connection.request(method, base + path, body=body, headers=sent)
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, fields, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Reply:
        return self.call("PUT", path, body, **headers)
