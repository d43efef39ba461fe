"""What goes between the headset and the bridge, tick by tick. No pjsua2 here."""

from __future__ import annotations

import threading
from typing import Protocol

from telephony.audio.smooth import Smoother
from telephony.audio.tones import TonePlayer
from telephony.audio.trial import Trial
from telephony.interfaces import Headset
from telephony.pcm import mix


class Tapped(Protocol):
    """A call's tap, as far as the headset feeds it."""

    def from_headset(self, given: bytes, taken: bytes) -> None:
        """What the headset gave and took in this tick; empty when it was not connected. Media clock's thread."""


class HeadsetSound:
    """The agent's headset; which headset may change at any time without touching a call.

    What only the agent is to hear (``ear``) and the ring (``ringer``) is added here, behind the bridge: it reaches
    neither the far side nor a tap.
    """

    def __init__(self, headset: Headset) -> None:
        self.in_use = False
        """A call is up, so the speaker gets a frame each tick, silence included."""
        self.silent = True
        """The microphone had nothing for this tick."""
        self.ear = TonePlayer(headset.rate)
        self.ringer = TonePlayer(headset.rate)
        self.trial: Trial | None = None
        """The devices are being tried: then no call is up, and the microphone is read here."""
        self.tap: Tapped | None = None
        """Of the only call whose port the headset's is connected with: what is given is then what that call is sent,
        what is taken is what comes from it, and no ports of the tap's own are needed. Engine thread. When it is taken
        away it holds for one tick more: ports that were connected before may have missed the one under way.
        """
        self.tapped: Tapped | None = None
        """The one that has been fed in this tick. Media clock's thread; known before any port of a tap is called, since
        the headset's has the lowest slot.
        """
        self.rate = headset.rate
        self._headset = headset
        self._needed = (False, False)
        self._lock = threading.Lock()
        self._silence = bytes(headset.rate // 50 * 2)
        self._voice = Smoother(headset.rate)
        self._sound = Smoother(headset.rate)
        self._ticks = 0
        self._asked_at = 0
        self._rang = False
        self._given = b""
        self._fed: Tapped | None = None

    def microphone(self) -> bytes:
        """The agent's voice for this tick; asked only while somebody hears it. Media clock's thread."""
        with self._lock:
            pcm = self._headset.read()
        self.silent = pcm is None
        if self._ticks - self._asked_at > 1:
            self._voice.begin()  # nobody listened: muted, held, no call
        self._asked_at = self._ticks
        self._given = given = self._voice.smooth(pcm) or self._silence
        return given

    def speaker(self, pcm: bytes) -> None:
        """What the calls say in this tick, empty when nobody may be heard; ends the tick. Media clock's thread."""
        self._ticks += 1
        wanted = self.tap
        tap = self.tapped = wanted or self._fed
        self._fed = wanted
        if tap is not None:
            tap.from_headset(self._given, pcm)
        self._given = b""
        trial = self.trial
        if not (self.in_use or trial is not None or self.ear.on or self.ringer.on or self._rang):
            return
        pcm = self._sound.smooth(pcm if self.in_use else b"") or self._silence
        with self._lock:
            headset = self._headset
            if trial is not None:
                pcm = trial.tick(headset.read()) or self._silence
            if self.ear.running is not None:
                pcm = self.ear.mix(pcm)
            if self._rang or self.ringer.running is not None:
                pcm = self._ring(headset, pcm)
            headset.write(pcm)

    def swap(self, headset: Headset) -> Headset:
        """Put another headset in and return the old one, which is not read or written any more. Engine thread."""
        headset.use(listening=self._needed[0], ringing=self._needed[1])
        with self._lock:
            old, self._headset = self._headset, headset
        return old

    def use(self, *, listening: bool, ringing: bool) -> None:
        """Which devices are needed now, this headset's and those of one that takes its place. Engine thread."""
        self._needed = (listening, ringing)
        self._headset.use(listening=listening, ringing=ringing)

    def _ring(self, headset: Headset, pcm: bytes) -> bytes:
        """The ring goes to its own device, or into the speaker. Three frames at first make its buffer give at once."""
        first = not self._rang
        ring = self.ringer.next()
        self._rang = ring is not None
        if ring is None:
            return pcm
        if not headset.rings_apart:
            return mix(pcm, ring)
        if first:
            ring += (self.ringer.next() or b"") + (self.ringer.next() or b"")
        headset.ring(ring)
        return pcm
