"""Debian's Kamailio on loopback with the settings of ``resources/pbx``, ended with its test."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab.seats import CARRIER_HOST, HOST, Seat
from tests.lab.settings import filled
from tests.line.parts import end_process, free_port, wait_until

DOMAIN = "pbx.example"


class Kamailio:
    """A running Kamailio."""

    def __init__(self, folder: Path, seats: Sequence[Seat], certificate: Path, key: Path) -> None:
        self.port = free_port()
        self.tls_port = free_port()
        self.carrier_port = free_port()
        """Where it sends calls to the public network: a test listens here."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        tables = folder / "tables"
        tables.mkdir()
        for name in ("subscriber", "dbaliases"):
            (tables / name).write_text(_table(name, seats), "utf-8")
        site = {
            "ADDRESS": HOST,
            "SIP_PORT": self.port,
            "TLS_PORT": self.tls_port,
            "DOMAIN": DOMAIN,
            "CERTIFICATE": certificate,
            "KEY": key,
            "TABLES": tables,
            "CARRIER": f"{CARRIER_HOST}:{self.carrier_port}",
            "CARRIER_ADDRESS": CARRIER_HOST,
        }
        config = folder / "kamailio.cfg"
        config.write_text(filled("kamailio/kamailio.cfg", site), "utf-8")
        ends_with_us = ["setpriv", "--pdeathsig", "TERM"]  # should the tests be killed
        command = [*ends_with_us, "kamailio", "-f", str(config), "-DD", "-E", "-m", "32", "-M", "8"]
        command += ["-Y", str(folder), "-w", str(folder)]
        self._log = (folder / "kamailio.log").open("wb")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            wait_until(lambda: _listens(self.port) and _listens(self.tls_port), 15)
        except AssertionError:
            self.stop()
            raise AssertionError(self.log()) from None

    def log(self) -> str:
        return (self._folder / "kamailio.log").read_text("utf-8", "replace")

    def complaints(self) -> list[str]:
        """Errors in its log."""
        return [line for line in self.log().splitlines() if " ERROR: " in line or " CRITICAL: " in line]

    def stop(self) -> None:
        end_process(self._process)
        self._log.close()


def _table(name: str, seats: Sequence[Seat]) -> str:
    """A table's head and its row, once for each seat or direct number."""
    if name == "subscriber":
        rows = [{"SEAT": s.user, "DOMAIN": DOMAIN, "HA1": ha1(s), "NUMBERS": s.numbers} for s in seats]
    else:
        rows = [{"SEAT": s.user, "DOMAIN": DOMAIN, "NUMBER": n} for s in seats for n in s.numbers.split()]
    texts = [filled(f"kamailio/{name}", row).splitlines() for row in rows]
    return "\n".join([texts[0][0], *(text[1] for text in texts)]) + "\n"


def ha1(seat: Seat) -> str:
    """What the table ``subscriber`` keeps instead of a password."""
    return hashlib.md5(f"{seat.user}:{DOMAIN}:{seat.password}".encode(), usedforsecurity=False).hexdigest()


def _listens(port: int) -> bool:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)
