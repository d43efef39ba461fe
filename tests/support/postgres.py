"""A PostgreSQL cluster of its own for a test, from Debian's package, on a Unix socket and no port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def available() -> bool:
    """Whether there is a PostgreSQL server to run, and an account that may: it refuses to be root."""
    return bool(BINARIES) and (os.geteuid() != 0 or _account() is not None)


def _account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


@contextmanager
def cluster() -> Iterator[str]:
    """A SQLAlchemy URL of an empty database; everything is gone afterwards."""
    # Not below pytest's folder, which the account that PostgreSQL runs as cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    account = _account() if os.geteuid() == 0 else None
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        _run(account, folder, "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "test", "-N")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=100"
        log = str(folder / "log")
        _run(account, folder, "pg_ctl", "-D", str(folder / "data"), "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://test@/postgres?host={folder}"
        finally:
            _run(account, folder, "pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(account: pwd.struct_passwd | None, folder: Path, name: str, *arguments: str) -> None:
    command = [str(BINARIES[-1] / name), *arguments]
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        **user,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{name} ended with {done.returncode}"
