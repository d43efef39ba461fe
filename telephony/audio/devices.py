"""Which sound devices there are, also while some are in use; and a cheap look whether that has changed.

PortAudio reads its list when it is initialised, and that ends every stream of the process. So while a stream is open
the list is read by a process of its own: ``python -m telephony.audio.devices`` prints it as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

from telephony.audio.portaudio import PortAudio
from telephony.interfaces import HeadsetError

log = logging.getLogger(__name__)

DeviceLists = dict[str, list[str]]
_HELPER_S = 10.0
_CARDS = Path("/proc/asound/cards")


def list_devices() -> DeviceLists:
    """Names for ``microphones``, ``speakers`` and ``ringers``, the default first; empty where there is no PortAudio.

    As they are now, devices plugged in a moment ago too. Any thread; may take some hundred milliseconds.
    """
    library = PortAudio()
    try:
        if library.rescan():
            return _listed(library)
    except HeadsetError:
        return _lists([], [])
    return _from_helper() or _listed(library)


def fingerprint() -> str:
    """Changes when a device comes or goes, where the system says so for nothing; else always the same. Any thread."""
    if sys.platform == "win32":
        import ctypes

        multimedia = ctypes.windll.winmm
        return f"{multimedia.waveInGetNumDevs()} {multimedia.waveOutGetNumDevs()}"
    try:
        return _CARDS.read_text()
    except OSError:
        return ""


def main() -> None:
    """The helper process."""
    print(json.dumps(_listed(PortAudio())))  # noqa: T201


def _listed(library: PortAudio) -> DeviceLists:
    try:
        return _lists(*([device.name for device in library.devices(way)] for way in ("input", "output")))
    except HeadsetError:
        return _lists([], [])


def _lists(microphones: list[str], speakers: list[str]) -> DeviceLists:
    return {"microphones": microphones, "speakers": speakers, "ringers": list(speakers)}


def _from_helper() -> DeviceLists | None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "telephony.audio.devices"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_HELPER_S,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=True,
        )
        found: DeviceLists = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.warning("the list of sound devices cannot be read: %s", type(error).__name__)
        return None
    return found


if __name__ == "__main__":
    main()
