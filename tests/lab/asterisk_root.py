"""A Debian sid with Asterisk in it, in a folder: made once, kept in the user's cache, used read-only ever after.

Debian 12 has no Asterisk; sid has 22. Making one takes root, a network and half a minute. Everything that mounts does
so in a mount namespace of its own: nothing is left mounted, whatever ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

APT = Path("/etc/apt")
SUITE = "sid"
MINIMUM = 22
"""Asterisk's version that the settings in ``resources/pbx`` are written for."""
STEP_S = 300
_TOOLS = ("debootstrap", "unshare", "mount", "chroot", "setpriv")
_RECIPE = """
set -e
root=$1 mirror=$2
debootstrap --variant=minbase --include=ca-certificates SUITE "$root" "$mirror"
printf '#!/bin/sh\\nexit 101\\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get install -y -q --no-install-recommends \\
    -o Acquire::Retries=3 -o Dpkg::Options::=--force-unsafe-io asterisk
chroot "$root" /usr/sbin/asterisk -V
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/*
""".replace("SUITE", SUITE)


class LabUnavailable(Exception):
    """This machine cannot have an Asterisk; the text says why, for the person who runs the tests."""


def cache_folder() -> Path:
    """Where roots are kept from one run to the next."""
    return Path(platformdirs.user_cache_dir("agent-desktop", False)) / "lab"


def recipe_key(recipe: str = _RECIPE) -> str:
    """Names what a root is made by: another recipe or machine, another root."""
    return hashlib.sha256(f"{recipe}{os.uname().machine}".encode()).hexdigest()[:12]


def asterisk_root(cache: Path | None = None, recipe: str = _RECIPE, apt: Path = APT) -> Path:
    """The root, made if it is not there yet; a second process waits for the first. Raises ``LabUnavailable``."""
    check_machine()
    cache = cache or cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / f"asterisk-{recipe_key(recipe)}"
    with _locked(root.with_suffix(".lock")):
        if not root.is_dir():
            _make(root, recipe, apt)
    return root


def check_machine() -> None:
    """Whether roots can be made and entered here. Raises ``LabUnavailable``."""
    if os.geteuid() != 0:
        raise LabUnavailable("a Debian root can only be made and entered by root")
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise LabUnavailable(f"not installed: {', '.join(missing)} (installer/debian-packages.txt)")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        raise LabUnavailable("this machine does not let root mount (no CAP_SYS_ADMIN)")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(root: Path, recipe: str, apt: Path) -> None:
    """Make it under another name and rename it: a root that is there is whole."""
    mirror = _mirror_that_answers(debian_mirrors(apt))
    unfinished = root.with_suffix(".unfinished")
    log = root.with_suffix(".log")
    problem = ""
    for _ in range(2):  # a mirror in the middle of an update fails once
        shutil.rmtree(unfinished, ignore_errors=True)
        problem = _attempt(unfinished, mirror, recipe, log)
        if not problem:
            unfinished.rename(root)
            return
    shutil.rmtree(unfinished, ignore_errors=True)
    raise LabUnavailable(f"the Debian root could not be made: {problem} (all of it in {log})")


def _mirror_that_answers(mirrors: Sequence[str]) -> str:
    """The first that has the suite. Asked first, since debootstrap waits long for one that is not there."""
    if not mirrors:
        raise LabUnavailable("apt's sources name no Debian mirror")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(_proxies()))
    for mirror in mirrors:
        with suppress(OSError), opener.open(f"{mirror}/dists/{SUITE}/InRelease", timeout=20):
            return mirror
    raise LabUnavailable(f"no mirror of apt's sources answers for Debian {SUITE}: no network?")


def _attempt(root: Path, mirror: str, recipe: str, log: Path) -> str:
    """Run the recipe; returns what went wrong, or nothing."""
    command = ["unshare", "--mount", "--propagation", "private", "setpriv", "--pdeathsig", "KILL"]
    command += ["sh", "-c", recipe, "recipe", str(root), mirror]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=_environment(), start_new_session=True
        )
        try:
            code = process.wait(STEP_S)
        except BaseException as error:
            os.killpg(process.pid, 9)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                return f"not done after {STEP_S} s"
            raise
    return "" if code == 0 else _last_line(log)


def _environment() -> dict[str, str]:
    """As apt reaches its mirrors, so must debootstrap."""
    proxies = {f"{kind}_proxy": proxy for kind, proxy in _proxies().items()}
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return {**os.environ, **proxies, "LC_ALL": "C.UTF-8", "PATH": path}


def _proxies() -> dict[str, str]:
    found = {kind: proxy for kind, proxy in urllib.request.getproxies().items() if kind in ("http", "https")}
    for kind in ("http", "https"):
        command = ["apt-config", "shell", "PROXY", f"Acquire::{kind}::Proxy"]
        words = shlex.split(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        if words and words[0] not in ("PROXY=", "PROXY=DIRECT"):
            found[kind] = words[0].removeprefix("PROXY=")
    return found


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("E: ")] or lines
    return told[-1] if told else "no output"


def debian_mirrors(apt: Path) -> list[str]:
    """The mirrors that apt uses here, those called Debian's first, none twice; security archives are none."""
    found: list[str] = []
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix == ".list" and file.is_file():
            found += _one_line_style(file.read_text("utf-8", "replace"))
        elif file.suffix == ".sources" and file.is_file():
            found += _deb822_style(file.read_text("utf-8", "replace"))
    return sorted(dict.fromkeys(found), key=lambda uri: not uri.endswith("/debian"))


def _one_line_style(text: str) -> Iterator[str]:
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "deb":
            continue
        while len(words) > 1 and words[1].startswith("["):  # options, in one word or several
            last = next((i for i, word in enumerate(words) if word.endswith("]")), len(words) - 1)
            del words[1 : last + 1]
        if len(words) > 3 and _is_mirror(words[1], words[2:3], words[3:]):
            yield words[1].rstrip("/")


def _deb822_style(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        fields = {k.strip().lower(): v.split() for k, _, v in (line.partition(":") for line in lines)}
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            if _is_mirror(uri, fields.get("suites", []), fields.get("components", [])):
                yield uri.rstrip("/")


def _is_mirror(uri: str, suites: Sequence[str], components: Sequence[str]) -> bool:
    plain = [suite for suite in suites if "security" not in suite and "/" not in suite]
    known = uri.startswith(("http://", "https://", "file:"))
    return known and bool(plain) and "main" in components


if __name__ == "__main__":
    try:
        print(asterisk_root())
    except LabUnavailable as reason:
        sys.exit(str(reason))
