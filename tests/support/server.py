"""A real collection server in a process of its own, for tests of the server and of its clients."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

DEMO_PASSWORD = "demo-2026-desk"
"""Of every demo account: liting, guowei, hemin, xujing (lead), chenyu (QA), shujv (data officer), admin."""

START_TIMEOUT = 30.0


class ServerDidNotStart(AssertionError):
    """The server ended, or did not say that it was ready; the text holds its last lines."""


@dataclass
class RunningServer:
    """``url`` is ``http://127.0.0.1:PORT``. ``stop`` may be called twice; the data can be served again on any port."""

    url: str
    data_dir: Path
    process: subprocess.Popen[str]
    errors: deque[str] = field(default_factory=lambda: deque(maxlen=200))

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def stop(self, *, kill: bool = False) -> int:
        """End the server, with SIGTERM or (``kill``) SIGKILL; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def run_cli(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``collection-server`` with ``args`` to its end."""
    command = [sys.executable, "-m", "collection_server.cli", *args]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **(env or {})}
    )


def init_data(data_dir: Path, *, demo: bool = True, seed: int = 1) -> Path:
    """Make a data directory, with the demo's accounts and cases unless told otherwise."""
    args = ["init", "--data", str(data_dir), "--seed", str(seed), *(["--demo"] if demo else [])]
    done = run_cli(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    return data_dir


def add_user(data_dir: Path, login: str, role: str, team: str) -> str:
    """An account beside the demo's, also while the server runs; returns its password."""
    done = run_cli("user-add", login, "--name", "外组", "--role", role, "--team", team, "--data", str(data_dir))
    assert done.returncode == 0, done.stderr
    return done.stdout.split("password ")[1].strip()


def start_server(
    tmp_path: Path,
    demo: bool = True,
    *,
    data_dir: Path | None = None,
    port: int = 0,
    env: dict[str, str] | None = None,
) -> RunningServer:
    """Start a server and wait until it is ready.

    Makes ``tmp_path/server`` unless ``data_dir`` names one made before. ``port`` 0 takes a free one. ``env`` adds
    ``COLLECTION_*`` settings. The caller stops it.
    """
    where = data_dir if data_dir is not None else init_data(tmp_path / "server", demo=demo)
    command = [sys.executable, "-m", "collection_server.cli", "serve", "--data", str(where)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--ready-json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    server = RunningServer("", where, process)
    threading.Thread(target=_drain, args=(process.stderr, server.errors), daemon=True).start()
    server.url = _wait_ready(server)
    return server


def _wait_ready(server: RunningServer) -> str:
    stdout = server.process.stdout
    assert stdout is not None
    guard = threading.Timer(START_TIMEOUT, server.process.kill)
    guard.start()
    try:
        for line in stdout:
            if line.startswith("{"):
                ready = json.loads(line)
                assert ready["ready"] is True
                return str(ready["url"])
    finally:
        guard.cancel()
    code = server.stop(kill=True)
    raise ServerDidNotStart(f"exit {code}: {' | '.join(server.errors)}")


def _drain(stream: IO[str] | None, into: deque[str]) -> None:
    if stream is None:
        return
    with stream:
        for line in stream:
            into.append(line.rstrip())
