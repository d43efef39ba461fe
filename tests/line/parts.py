"""The real parts that the engine is tested with, each started on a free port and ended with its test."""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from telephony.client import LineClient
from telephony.messages import AddLine, CallEnded, CallState, Dial, Event, LineConfig
from tests.line.sound import Samples, read_wav

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCENARIOS = HERE / "scenarios"

E = TypeVar("E", bound=Event)


def free_port() -> int:
    """A UDP and TCP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return int(udp.getsockname()[1])


def end_process(process: subprocess.Popen[Any]) -> None:
    """End a process that we started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


BOTH_CLOCKS = pytest.mark.parametrize("line_process", [True, False], ids=["own-clock", "null-device"], indirect=True)
"""Once with our clock on the media bridge, once with PJMEDIA's null device."""


class LineProcess:
    """The harness with a client on its socket."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._short = tempfile.TemporaryDirectory(prefix="line")  # a Unix socket's path has 107 bytes at most
        self.socket = f"{self._short.name}/door/line"
        self.key = secrets.token_bytes(32)
        self.events: queue.Queue[Event] = queue.Queue()
        self.seen: list[Event] = []
        self.lost: list[str] = []
        self._errors = (folder / "stderr.txt").open("wb")
        settings = {"folder": str(folder), "socket": self.socket, "key": self.key.hex(), **options}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.line.harness", json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.port = int(self._line()["port"])
        self.client = self.new_client(self.events.put)
        self.client.connect(5)

    def new_client(self, on_event: Callable[[Event], None], key: bytes | None = None) -> LineClient:
        return LineClient(self.socket, key or self.key, on_event, self.lost.append)

    def order(self, text: str) -> dict[str, Any]:
        """An order of the harness's own; returns its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self._line()

    def wait(self, kind: type[E], good: Callable[[E], bool] = lambda event: True, timeout: float = 6.0) -> E:
        """The next event of this kind that is good; those before it go to ``seen``."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                told = [e for e in self.seen if e.type != "levels"][-8:]
                raise AssertionError(f"no {kind.__name__} came; before: {told}") from None
            self.seen.append(event)
            if isinstance(event, kind) and good(event):
                return event

    def state(self, state: str, timeout: float = 6.0) -> CallState:
        return self.wait(CallState, lambda e: e.state == state, timeout)

    def ended(self, timeout: float = 8.0) -> CallEnded:
        return self.wait(CallEnded, timeout=timeout)

    def add_line(self, peer_port: int, **values: Any) -> dict[str, Any]:
        config = LineConfig("l1", "Agent", values.pop("user", "agent"), f"127.0.0.1:{peer_port}", **values)
        return self.client.request(AddLine("", config))

    def dial(self, number: str = "13800000000") -> str:
        call_id = str(uuid.uuid4())
        self.client.request(Dial("", call_id, "l1", number))
        return call_id

    def stop(self) -> int:
        """End in order; returns the exit code."""
        self.client.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(15)
        finally:
            self._clean_up()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(5)
        self.client.close()
        self._clean_up()

    def _clean_up(self) -> None:
        end_process(self.process)
        self._errors.close()
        self._short.cleanup()

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, (self.folder / "stderr.txt").read_text()
        answer: dict[str, Any] = json.loads(text)
        return answer


class Sipp:
    """SIPp with one of the scenarios, for one call unless told otherwise."""

    def __init__(
        self, folder: Path, scenario: str, target: int = 0, calls: int = 1, patience: int = 30, **keys: str
    ) -> None:
        self.port = free_port()
        self._folder = folder
        text = scenario
        if not text.startswith("<?xml"):  # the name of one in the folder
            text = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
        scenario = "built" if text is scenario else scenario
        file = folder / f"{scenario}.xml"  # SIPp wants the status of a response in the file itself
        file.write_text(text.replace("STATUS", keys.pop("status", "")), "utf-8")
        command = ["sipp", "-sf", str(file), "-m", str(calls), "-nostdin"]
        command += ["-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1", "-mp", str(free_port() & ~1)]
        command += [
            "-trace_err",
            "-error_file",
            str(folder / f"sipp-{scenario}.err"),
            "-timeout",
            str(patience),
            "-timeout_error",
        ]
        command += ["-trace_msg", "-message_file", str(folder / f"sipp-{scenario}.msg")]
        for name, value in keys.items():
            command += ["-key", name, value]
        if target:
            command += [f"127.0.0.1:{target}", "-s", keys.get("callee", "agent")]
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if not target:
            wait_until(lambda: _udp_taken(self.port), 15)

    def messages(self) -> str:
        return next(self._folder.glob("sipp-*.msg")).read_text("utf-8", "replace")

    def finished(self, timeout: float = 10.0) -> None:
        """Every message of the scenario came as it should."""
        code = self.process.wait(timeout)
        errors = "".join(p.read_text("utf-8", "replace") for p in self._folder.glob("sipp-*.err"))
        assert code == 0, f"SIPp: {code} {errors[:2000]}"


class Baresip:
    """A real baresip on loopback that plays a WAV file and writes what it hears."""

    def __init__(
        self, folder: Path, play: Path, codec: str, account: str = "", dial: str = "", auto: bool = True
    ) -> None:
        self.port = free_port()
        self._folder = folder
        rate = 16000 if codec.startswith("G722") else 8000
        modules = ["stdio", "g711", "g722", "srtp", "aufile", "account", "menu", "uuid", "aubridge", "sndfile"]
        rtp = free_port() & ~1
        config = [
            f"sip_listen 127.0.0.1:{self.port}",
            f"rtp_ports {rtp}-{rtp + 20}",
            "net_interface 127.0.0.1",
            f"audio_source aufile,{play}",
            "audio_player aubridge,void",
            f"snd_path {folder}",
            f"ausrc_srate {rate}",
            f"auplay_srate {rate}",
            "ausrc_channels 1",
            "auplay_channels 1",
            "module_path /usr/lib/baresip/modules",
            *(f"module {name}.so" for name in modules),
        ]
        (folder / "config").write_text("\n".join(config) + "\n")
        mode = "auto" if auto else "manual"
        account = account or "<sip:far@127.0.0.1>;regint=0"
        (folder / "accounts").write_text(f"{account};answermode={mode};audio_codecs={codec}\n")
        (folder / "contacts").write_text("")
        command = ["baresip", "-f", str(folder)] + (["-e", f"/dial {dial}"] if dial else [])
        self._log = (folder / "baresip.log").open("wb")
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=self._log, stderr=self._log)
        self._wait()

    def _wait(self) -> None:
        try:
            wait_until(lambda: _udp_taken(self.port), 15)
        except AssertionError:
            self.stop()
            raise AssertionError((self._folder / "baresip.log").read_text()) from None

    def said(self) -> str:
        """What it printed so far."""
        return (self._folder / "baresip.log").read_text("utf-8", "replace")

    def heard(self) -> Path:
        """The WAV file of what baresip heard; complete once the call is over."""
        return next(self._folder.glob("dump-*-dec.wav"))

    def stop(self) -> None:
        end_process(self.process)
        self._log.close()


class FarPhone:
    """``far_phone``, a PJSIP phone that answers, plays a tone and follows transfers."""

    def __init__(self, folder: Path, frequency: float | str, host: str = "127.0.0.1") -> None:
        self._folder = folder
        self.told: list[dict[str, Any]] = []
        self._lines: queue.Queue[str] = queue.Queue()
        command = [sys.executable, "-m", "tests.line.far_phone", str(folder), str(frequency), host]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait(lambda told: "port" in told)["port"])

    def order(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def wait(self, good: Callable[[dict[str, Any]], bool], timeout: float = 8.0) -> dict[str, Any]:
        """The next thing it tells that is good."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                told = json.loads(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"the phone did not tell it; before: {self.told}") from None
            self.told.append(told)
            if good(told):
                return dict(told)

    def state(self, state: str) -> dict[str, Any]:
        return self.wait(lambda told: told.get("state") == state)

    def heard_last(self, seconds: float) -> tuple[Samples, int]:
        """What it heard last, less the very end, and the rate. Ends it."""
        signal, rate = read_wav(self.stop())
        end = len(signal) - rate // 5
        return signal[max(0, end - int(rate * seconds)) : end], rate

    def stop(self) -> Path:
        """End it; the WAV file of all that it heard."""
        if self.process.poll() is None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait(10)
        self._reader.join(5)
        end_process(self.process)
        return self._folder / "heard.wav"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)


def wait_until(true: Callable[[], bool], timeout: float = 5.0) -> None:
    """Poll until true."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def _udp_taken(port: int) -> bool:
    wanted = f":{port:04X}"
    return any(line.split()[1].endswith(wanted) for line in Path("/proc/net/udp").read_text().splitlines()[1:])


def environment() -> dict[str, str]:
    return {**os.environ, "LANG": "C.UTF-8"}
