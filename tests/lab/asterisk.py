"""An Asterisk 22 on loopback with the settings of ``resources/pbx``, ended with its test.

It runs in a root made by ``asterisk_root`` as the user ``asterisk``, in a mount namespace of its own: the root is
read-only there, its state is a folder of the test's at ``/mnt``. Nothing can be left mounted, and the kernel ends it
should the tests be killed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab.seats import CARRIER_HOST, HOST, Seat
from tests.lab.settings import filled
from tests.line.parts import end_process, free_port, wait_until

_CONTROL = "/mnt/asterisk.conf"
_ENTER = """
set -e
root=$1 state=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind "$state" "$root/mnt"
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups --pdeathsig KILL "$@"
"""
_DIRECTORIES = {
    "astetcdir": "/mnt/etc",
    "astvarlibdir": "/mnt/lib",
    "astdbdir": "/mnt/lib",
    "astkeydir": "/mnt/lib",
    "astdatadir": "/usr/share/asterisk",
    "astagidir": "/mnt/lib",
    "astspooldir": "/mnt/spool",
    "astrundir": "/mnt/run",
    "astlogdir": "/mnt/log",
}
_LOGGER = "[general]\ndateformat = %F %T.%3q\n[logfiles]\nfull => notice,warning,error,verbose(4)\n"


class Asterisk:
    """A running Asterisk."""

    def __init__(self, root: Path, folder: Path, seats: Sequence[Seat], certificate: Path, key: Path) -> None:
        self.port = free_port()
        self.tls_port = free_port()
        self.carrier_port = free_port()
        """Where it sends calls to the public network: a test listens here."""
        self._root = root
        self._state = folder
        self._user = _user_id(root)
        self._log = folder / "log" / "full"
        rtp = free_port() // 2 * 2 % 20000 + 40000
        site = {
            "ADDRESS": HOST,
            "SIP_PORT": self.port,
            "TLS_PORT": self.tls_port,
            "CERTIFICATE": "/mnt/etc/server.pem",
            "KEY": "/mnt/etc/server.key",
            "CARRIER": f"{CARRIER_HOST}:{self.carrier_port}",
            "CARRIER_ADDRESS": CARRIER_HOST,
            "RTP_FIRST": rtp,
            "RTP_LAST": rtp + 199,
        }
        self._write(site, seats, certificate, key)
        self._output = (folder / "output.txt").open("wb")
        self._process = subprocess.Popen(
            self._inside("asterisk", "-f", "-C", _CONTROL),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
        )
        try:
            wait_until(lambda: "Asterisk Ready" in self.log(), 20)
        except AssertionError:
            self.stop()
            raise AssertionError(self.log() + (folder / "output.txt").read_text("utf-8", "replace")) from None
        self.command("pjsip set logger on")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def version(self) -> str:
        return self.command("core show version")

    def command(self, text: str) -> str:
        """What its console answers."""
        command = self._inside("asterisk", "-C", _CONTROL, "-rx", text)
        done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
        return done.stdout + done.stderr

    def contacts(self, name: str) -> list[str]:
        """Where this seat, or the carrier, is reached: its state is ``Avail`` when it answered OPTIONS."""
        rows = self.command("pjsip show contacts").splitlines()
        return [row for row in rows if f" {name}/sip:" in row]

    def qualify(self, name: str) -> None:
        """Send OPTIONS and wait for the answer."""
        self.command(f"pjsip qualify {name}")
        wait_until(lambda: " Avail " in "".join(self.contacts(name)), 10)

    def log(self) -> str:
        """Everything it said so far, each SIP message included."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def complaints(self) -> list[str]:
        """Warnings and errors in its log."""
        return [line for line in self.log().splitlines() if re.search(r"\] (WARNING|ERROR)\[", line)]

    def stop(self) -> None:
        end_process(self._process)
        self._output.close()

    def _inside(self, *command: str) -> list[str]:
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "enter"]
        return [*enter, str(self._root), str(self._state), str(self._user), *command]

    def _write(self, site: Mapping[str, object], seats: Sequence[Seat], certificate: Path, key: Path) -> None:
        etc = self._state / "etc"
        shutil.copytree(self._root / "etc" / "asterisk", etc)  # Debian's own, as on an administrator's machine
        for name in ("lib/keys", "spool", "run", "log"):
            (self._state / name).mkdir(parents=True)
        for name in ("pjsip", "extensions", "rtp", "modules"):
            (etc / f"{name}.conf").write_text(filled(f"asterisk/{name}.conf", site), "utf-8")
        (etc / "pjsip_seats.conf").write_text(
            "\n".join(filled("asterisk/pjsip_seats.conf", seat.words) for seat in seats), "utf-8"
        )
        direct = [(seat.user, number) for seat in seats for number in seat.numbers.split()]
        (etc / "extensions_seats.conf").write_text(
            "\n".join(filled("asterisk/extensions_seats.conf", {"SEAT": s, "NUMBER": n}) for s, n in direct), "utf-8"
        )
        (etc / "logger.conf").write_text(_LOGGER)
        shutil.copy(certificate, etc / "server.pem")
        shutil.copy(key, etc / "server.key")
        modules = next(self._root.glob("usr/lib/*/asterisk/modules")).relative_to(self._root)
        directories = {**_DIRECTORIES, "astmoddir": f"/{modules}"}
        lines = ["[directories]", *(f"{k} => {v}" for k, v in directories.items()), "[options]", "verbose = 4"]
        (self._state / "asterisk.conf").write_text("\n".join(lines) + "\n")
        for path in (self._state, *self._state.rglob("*")):
            os.chown(path, self._user, self._user)


def _user_id(root: Path) -> int:
    rows = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
    return next(int(row[2]) for row in rows if row[0] == "asterisk")
