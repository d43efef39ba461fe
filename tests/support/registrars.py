"""Registrars for tests: a real Kamailio with digest authentication, and one over UDP that answers as it is told."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.line.parts import free_port, wait_until
from tests.support.certificates import Certificate

PASSWORD = "secret"

_CONFIG = """
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
{transports}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "textops.so"
loadmodule "siputils.so"
{tls}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 120)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route() || is_method("ACK|BYE")) {{ t_relay(); }}
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if ($fU == "banned") {{ sl_send_reply("403", "Forbidden"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("lab", "secret", "0")) {{ www_challenge("lab", "0"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("lab", "secret", "0")) {{ proxy_challenge("lab", "0"); exit; }}
        consume_credentials();
        record_route();
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    }}
    t_relay();
}}
"""
_TLS = """
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
"""


class Registrar:
    """A Kamailio that knows every user by the password ``secret``: UDP and TCP at ``port``, TLS at ``tls_port``."""

    def __init__(self, folder: Path, port: int = 0, tls: Certificate | None = None, host: str = "127.0.0.1") -> None:
        assert shutil.which("kamailio"), "kamailio is in installer/debian-packages.txt"
        folder.mkdir(parents=True, exist_ok=True)
        self.host = host
        for attempt in range(4):  # a port that was free may be somebody's by now
            self.port = port or free_port()
            self.tls_port = free_port() if tls else 0
            self._start(folder, tls)
            try:
                wait_until(lambda: self._answers() or self._process.poll() is not None, 20)
                if self._process.poll() is None:
                    return
            except AssertionError:
                pass
            self.stop()
            if port or attempt == 3:
                raise AssertionError((folder / "kamailio.log").read_text())

    def _start(self, folder: Path, tls: Certificate | None) -> None:
        host = self.host
        listen = [f"listen=udp:{host}:{self.port}", f"listen=tcp:{host}:{self.port}"]
        if tls:
            listen += ["enable_tls=yes", f"listen=tls:{host}:{self.tls_port}"]
        secure = _TLS.format(certificate=tls.certificate, key=tls.key) if tls else ""
        config = folder / "kamailio.cfg"
        config.write_text(_CONFIG.format(transports="\n".join(listen), tls=secure))
        self._log = (folder / "kamailio.log").open("wb")
        command = [
            "kamailio",
            "-f",
            str(config),
            "-DD",
            "-E",
            "-m",
            "16",
            "-M",
            "4",
            "-Y",
            str(folder),
            "-w",
            str(folder),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )

    @property
    def peer(self) -> str:
        return f"{self.host}:{self.port}"

    def pause(self) -> None:
        """It goes on holding its sockets and says nothing."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End every process of it."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGCONT)
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(5)
        self._log.close()

    def _answers(self) -> bool:
        wanted = {f":{port:04X}" for port in (self.port, self.tls_port) if port}
        rows = [row.split() for row in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
        listening = {row[1][-5:] for row in rows if row[3] == "0A"}
        return wanted <= listening


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    text: str
    at: float
    """Monotonic seconds."""

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}:[ \t]*(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back; None in its place is silence."""

    code: int
    reason: str = "Because"
    headers: tuple[str, ...] = ()


Answer = Callable[[Request], Reply | None]


def accept(request: Request) -> Reply:
    """200, and the Contact back."""
    contact = request.header("Contact")
    return Reply(200, "OK", (f"Contact: {contact};expires=120",) if contact else ())


class ScriptedRegistrar:
    """A registrar over UDP whose answers a test decides on, for what no real one says when asked."""

    def __init__(self, answer: Answer = accept, host: str = "127.0.0.1") -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(0.1)
        self._host = host
        self.port = int(self._socket.getsockname()[1])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="scripted-registrar")
        self._thread.start()

    @property
    def peer(self) -> str:
        return f"{self._host}:{self.port}"

    def of(self, method: str) -> list[Request]:
        """Requests of this method, repetitions included."""
        return [request for request in list(self.requests) if request.method == method]

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                data, source = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            if not data.strip():
                continue
            request = Request(data.split(b" ", 1)[0].decode(), data.decode("utf-8", "replace"), time.monotonic())
            self.requests.append(request)
            reply = self.answer(request)
            if reply is not None:
                self._socket.sendto(_response(request, reply, source), source)


def silent(request: Request) -> None:
    """No answer."""


def _response(request: Request, reply: Reply, source: tuple[str, int]) -> bytes:
    to = request.header("To")
    via, *others = re.findall(r"^Via:[ \t]*(.*?)\r?$", request.text, re.MULTILINE | re.IGNORECASE)
    via = re.sub(r";rport(?=;|$)", f";rport={source[1]};received={source[0]}", via)  # RFC 3581, 4
    lines = [
        f"SIP/2.0 {reply.code} {reply.reason}",
        *(f"Via: {entry}" for entry in (via, *others)),
        f"From: {request.header('From')}",
        f"To: {to if 'tag=' in to else to + ';tag=scripted'}",
        f"Call-ID: {request.header('Call-ID')}",
        f"CSeq: {request.header('CSeq')}",
        *reply.headers,
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
