"""The headset on a sound card, through PortAudio."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from telephony.audio.devices import fingerprint, list_devices
from telephony.audio.place import Place
from telephony.audio.worker import RATE
from telephony.interfaces import HeadsetError
from telephony.messages import AudioState

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_REST_EVERY_S = 2.0
_SEARCH_EVERY_S = 3.0
_SEARCH_RESTING_S = (10.0, 60.0)
"""Between calls the pauses grow from the first to the second: a seat without a sound card is not searched for ever."""


class CardHeadset:
    """Microphone, speaker and ringing device by PortAudio device name; an empty name is the system's default device,
    and for the ringing device the speaker.

    16 kHz mono. The devices are open but rest until ``use`` asks for them, so that nothing runs between calls. Each
    runs in a process of its own (``worker``), and a ``ClockRing`` joins its clock to the media clock.

    A device that vanishes does not end a call, nor touch the other devices: the default device of its kind takes its
    place, or if there is none ``read`` gives None and ``write`` is dropped. A watching thread puts the chosen device
    back as soon as it returns. ``on_change`` is called on that thread, or in ``start``, when ``state`` has changed.

    ``strict``: ``start`` fails when a chosen device cannot be opened; otherwise it begins with what there is.
    """

    def __init__(
        self,
        microphone: str = "",
        speaker: str = "",
        ringer: str = "",
        *,
        strict: bool = True,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._wake = threading.Event()
        self._microphone = Place("input", microphone, self._wake.set)
        self._speaker = Place("output", speaker, self._wake.set)
        apart = ringer not in ("", speaker)
        self._ringer = Place("output", ringer, self._wake.set) if apart else None
        self._places = [place for place in (self._microphone, self._speaker, self._ringer) if place is not None]
        self._strict = strict
        self._on_change = on_change
        self._needs = (False, False)
        self._told: AudioState | None = None
        self._fingerprint = ""
        self._search_at = 0.0
        self._search_pause = _SEARCH_RESTING_S[0]
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def rate(self) -> int:
        return RATE

    @property
    def rings_apart(self) -> bool:
        return self._ringer is not None and self._ringer.device is not None

    @property
    def state(self) -> AudioState:
        """Which devices are in use, and what is wrong. Any thread."""
        problem = next((place.problem for place in self._places if place.problem), "")
        microphone, speaker = self._microphone, self._speaker
        automatic = not (microphone.name or speaker.name)
        nothing = all(place.device is None for place in (microphone, speaker))
        if automatic and nothing and problem == "no_such_device":
            problem = "no_sound_card"
        return AudioState(
            kind="null" if automatic and nothing else "device",
            description=self.describe() if not (automatic and nothing) else "no headset",
            problem=problem,
            microphone=microphone.in_use,
            speaker=speaker.in_use,
            ringer=(self._ringer.in_use if self._ringer is not None else "") or speaker.in_use,
            fallback=any(place.fallback for place in self._places),
        )

    def start(self) -> None:
        """Open the devices. Raises ``HeadsetError``, and then nothing is open. Not the media clock's thread."""
        if self._watch is not None:
            return
        self._fingerprint = fingerprint()
        try:
            with ThreadPoolExecutor(len(self._places)) as pool:  # each waits for a process
                list(pool.map(lambda place: place.open(self._strict), self._places))
        except HeadsetError:
            self._close()
            raise
        self._tell()
        self._stopping.clear()
        self._watch = threading.Thread(target=self._look_after, name="headset-watch", daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Close the devices; may be called twice."""
        self._stopping.set()
        self._wake.set()
        if self._watch is not None:
            self._watch.join()
            self._watch = None
        self._close()

    def use(self, *, listening: bool, ringing: bool) -> None:
        self._needs = (listening, ringing)
        self._wake.set()

    def read(self) -> bytes | None:
        device = self._microphone.device
        return device.read() if device is not None else None

    def write(self, pcm: bytes) -> None:
        device = self._speaker.device
        if device is not None:
            device.write(pcm)

    def ring(self, pcm: bytes) -> None:
        device = self._ringer.device if self._ringer is not None else None
        if device is not None:
            device.write(pcm)

    def describe(self) -> str:
        names = (self._microphone.name or "default", self._speaker.name or "default")
        return " / ".join(_without_owner(name) for name in dict.fromkeys(names))

    def _close(self) -> None:
        for place in self._places:
            place.close()

    # --- the watching thread ---

    def _look_after(self) -> None:
        while True:
            self._wake.wait(_LOOK_EVERY_S if any(self._needs) else _REST_EVERY_S)
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                self._run_needed()
                for place in self._places:
                    place.look()
                self._search()
                self._tell()
            except Exception:
                log.exception("the sound devices could not be looked after")

    def _run_needed(self) -> None:
        listening, ringing = self._needs
        self._microphone.run(listening)
        self._speaker.run(listening or (ringing and not self.rings_apart))
        if self._ringer is not None:
            self._ringer.run(ringing)

    def _search(self) -> None:
        """Look for devices when one is missing: when the system says that something has changed, and from time to
        time. Those that rest show only when they are opened again whether they are still there.
        """
        mark, now = fingerprint(), time.monotonic()
        changed, self._fingerprint = mark != self._fingerprint, mark
        missing = any(place.problem for place in self._places)
        resting = not any(self._needs)
        if not changed and not (missing and now >= self._search_at):
            return
        if changed and resting:
            for place in self._places:
                place.reopen()
        if any(place.problem for place in self._places):
            found = list_devices()
            for place in self._places:
                place.found(found["microphones" if place.direction == "input" else "speakers"])
        pause = self._search_pause if resting else _SEARCH_EVERY_S
        self._search_pause = min(2 * pause, _SEARCH_RESTING_S[1]) if resting else _SEARCH_RESTING_S[0]
        self._search_at = time.monotonic() + pause

    def _tell(self) -> None:
        state = self.state
        if state != self._told:
            self._told = state
            self._on_change()


def _without_owner(name: str) -> str:
    """Bluetooth headsets are often called after their owner: "Li's Buds", "李的耳机"."""
    return re.sub(r"^.*?(?:[’']s\s+|的)(?=\S)", "", name)
