"""baresip as a seat: told what to do over its control socket (ctrl_tcp), recording both directions with sndfile."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path

from tests.line.parts import end_process, free_port

MODULES = ("g711", "g722", "aufile", "account", "menu", "uuid", "aubridge", "ctrl_tcp")


class BaresipSeat:
    """A running baresip with one account that is called at ``port`` and registers nowhere."""

    def __init__(
        self,
        folder: Path,
        *,
        play: Path | None = None,
        codec: str = "PCMA/8000/1",
        record: bool = False,
        auto: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port, control = free_port(), free_port()
        self._write(folder, control, play, codec, record, auto)
        self._log = (folder / "baresip.log").open("wb")
        self._process = subprocess.Popen(
            ["baresip", "-f", str(folder)], cwd=folder, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self.pid = self._process.pid
        self._control = _connected(control)
        self._control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, command: str, params: str = "") -> None:
        """A command, as a netstring of JSON; its answers and events are read and dropped by ``drain``."""
        body = json.dumps({"command": command, "params": params}).encode()
        self._control.sendall(b"%d:%s," % (len(body), body))

    def drain(self) -> None:
        self._control.setblocking(False)
        try:
            while self._control.recv(65536):
                pass
        except BlockingIOError:
            pass
        finally:
            self._control.setblocking(True)

    def stop(self) -> None:
        self._control.close()
        end_process(self._process)
        self._log.close()

    def _write(self, folder: Path, control: int, play: Path | None, codec: str, record: bool, auto: bool) -> None:
        rate = 16000 if codec.startswith("G722") else 8000
        rtp = free_port() & ~1
        modules = [*MODULES, *(["sndfile"] if record else [])]
        config = [
            f"sip_listen 127.0.0.1:{self.port}",
            f"ctrl_tcp_listen 127.0.0.1:{control}",
            f"rtp_ports {rtp}-{rtp + 20}",
            "net_interface 127.0.0.1",
            f"audio_source aufile,{play}" if play else "audio_source aubridge,void",
            "audio_player aubridge,void",
            f"snd_path {folder}",
            *(f"{key} {rate}" for key in ("ausrc_srate", "auplay_srate")),
            "ausrc_channels 1",
            "auplay_channels 1",
            "module_path /usr/lib/baresip/modules",
            *(f"module {name}.so" for name in modules),
        ]
        (folder / "config").write_text("\n".join(config) + "\n")
        mode = "auto" if auto else "manual"
        account = f"<sip:far@127.0.0.1>;regint=0;answermode={mode};audio_codecs={codec}\n"
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")


def _connected(port: int) -> socket.socket:
    deadline = time.monotonic() + 10
    while True:
        made = socket.socket()
        try:
            made.connect(("127.0.0.1", port))
        except OSError:
            made.close()
            assert time.monotonic() < deadline, "baresip does not take commands"
            time.sleep(0.05)
        else:
            return made
