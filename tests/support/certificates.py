"""An authority of our own and certificates by it, made by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a server."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; ``file`` is what a client trusts."""

    def __init__(self, folder: Path, name: str = "Lab") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.file = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name} CA"),
            *("-keyout", str(self._key), "-out", str(self.file)),
        )

    def sign(self, name: str, alternatives: str, days: int = 10) -> Certificate:
        """A certificate for ``alternatives``, such as ``DNS:pbx.example,IP:127.0.0.1``; negative days: expired."""
        key, request, done = (self._folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        _openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", str(key), "-out", str(request)),
        )
        serial = str(abs(hash(name)) + 1)
        valid = ("-days", str(days))
        if days < 0:  # openssl x509 3.0 has no way to name both dates, so the clock is told another time
            return self._expired(request, key, done, extensions, serial)
        _openssl(
            *("x509", "-req", "-in", str(request), "-CA", str(self.file), "-CAkey", str(self._key)),
            *("-set_serial", serial, "-out", str(done), "-extfile", str(extensions), *valid),
        )
        return Certificate(done, key)

    def _expired(self, request: Path, key: Path, done: Path, extensions: Path, serial: str) -> Certificate:
        database = self._folder / "index.txt"
        database.write_text("")
        (self._folder / "serial").write_text(f"{int(serial):016X}"[-16:] + "\n")
        config = self._folder / "ca.cnf"
        config.write_text(
            "[ca]\ndefault_ca=lab\n[lab]\ndefault_md=sha256\npolicy=any\nnew_certs_dir="
            f"{self._folder}\ndatabase={database}\nserial={self._folder / 'serial'}\n[any]\ncommonName=supplied\n"
        )
        _openssl(
            *("ca", "-batch", "-config", str(config), "-in", str(request), "-out", str(done), "-notext"),
            *("-cert", str(self.file), "-keyfile", str(self._key), "-extfile", str(extensions)),
            *("-startdate", "20200101000000Z", "-enddate", "20210101000000Z"),
        )
        return Certificate(done, key)


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
