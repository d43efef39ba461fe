"""Which sound devices there are now; and a cheap look whether that has changed.

PortAudio reads its list when it is initialised, so each list is read by a process of its own
(``python -m telephony.audio.devices``), which also bears what PortAudio may do to it (see ``worker``).
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

from telephony.audio.helper import start_helper
from telephony.audio.portaudio import devices
from telephony.interfaces import HeadsetError

log = logging.getLogger(__name__)

DeviceLists = dict[str, list[str]]
_HELPER_S = 10.0
_CARDS = Path("/proc/asound/cards")


def list_devices() -> DeviceLists:
    """Names for ``microphones``, ``speakers`` and ``ringers``, the default first; empty where there is no PortAudio.

    As they are now, devices plugged in a moment ago too. Any thread; takes some hundred milliseconds.
    """
    try:
        process = start_helper("telephony.audio.devices")
        try:
            found: DeviceLists = json.loads(process.communicate(timeout=_HELPER_S)[0])
        finally:
            process.kill()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.warning("the list of sound devices cannot be read: %s", type(error).__name__)
        return {"microphones": [], "speakers": [], "ringers": []}
    return found


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
    try:
        microphones, speakers = ([device.name for device in devices(way)] for way in ("input", "output"))
    except HeadsetError:
        microphones, speakers = [], []
    print(json.dumps({"microphones": microphones, "speakers": speakers, "ringers": speakers}))  # noqa: T201


if __name__ == "__main__":
    main()
