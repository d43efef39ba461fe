"""What the agent hears besides the calls: the ring, tones, and trials of the devices. Engine thread only.

Everything follows from the events that clients get, so a tone can never disagree with what the window shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from telephony.audio.tones import (
    AUTO_ANSWER,
    BUSY,
    CALL_WAITING,
    CONGESTION,
    RING,
    RING_BACK,
    TEST,
    Tone,
    TonePlayer,
)
from telephony.audio.trial import Trial
from telephony.errors import CommandError
from telephony.headset_sound import HeadsetSound
from telephony.messages import CallEnded, CallState, Event, Levels, TestAudio
from telephony.pcm import SILENCE_DBFS

_LINGER_NS = 5_000_000_000
"""The devices run on for so long after a call: the next one often follows at once, and a failure tone is heard out."""
_TRIAL_NS = 10_000_000_000
_TRIALS = ("tone", "ring", "loopback", "off")
_FAILURES = {
    "busy": BUSY,
    "declined": BUSY,
    "no_answer": CONGESTION,
    "unreachable": CONGESTION,
    "not_found": CONGESTION,
    "failed": CONGESTION,
}
"""Tone by the cause of a dialled call's end. A call that brought sound of its own before the answer gets none."""


class Sounds:
    """Plays what the state of the calls asks for, and asks the headset for the devices that this needs."""

    def __init__(self, port: HeadsetSound, tones: bool, on_level: Callable[[Levels], None]) -> None:
        self._port = port
        self._tones = tones
        self._on_level = on_level
        """Levels of a trial; called on the media clock's thread."""
        self._calls: dict[str, CallState] = {}
        self._needed: tuple[bool, bool] = (False, False)
        self._busy_until_ns = 0
        self._trial_until_ns = 0

    @property
    def awake(self) -> bool:
        """The media clock is needed: a call is up, or something is to be heard."""
        port = self._port
        return bool(self._calls) or self._needed != (False, False) or port.ear.on or port.ringer.on

    def heard(self, event: Event) -> None:
        """An event on its way to the clients; others than those of calls are ignored."""
        if isinstance(event, CallState):
            self._state(event)
        elif isinstance(event, CallEnded):
            self._ended(event)
        else:
            return
        self._follow(time.monotonic_ns())

    def on_time(self, now_ns: int) -> None:
        """End what is over by now."""
        if self._trial_until_ns and now_ns >= self._trial_until_ns:
            self._end_trial()
        self._need(now_ns)

    def test(self, command: TestAudio) -> None:
        """Begin or end a trial. Raises ``CommandError``."""
        if command.test not in _TRIALS:
            raise CommandError("bad_message", "unknown test")
        if self._calls:
            raise CommandError("wrong_state", "a call is up")
        self._end_trial()
        now = time.monotonic_ns()
        if command.test != "off":
            self._trial_until_ns = now + _TRIAL_NS
            self._port.trial = Trial(
                self._port.rate,
                loopback=command.test == "loopback",
                on_level=lambda dbfs: self._on_level(Levels("", round(dbfs, 1), SILENCE_DBFS)),
            )
        if command.test == "tone":
            self._port.ear.play(TEST)
        if command.test == "ring":
            self._port.ringer.play(RING)
        self._need(now)

    def _state(self, event: CallState) -> None:
        before = self._calls.get(event.call_id)
        if self._trial_until_ns and event.state != "ended":
            self._end_trial()
        if event.state == "ended":
            return  # its record follows, and says why
        self._calls[event.call_id] = event
        if event.auto_answered and self._tones and not (before and before.auto_answered):
            self._port.ear.play(AUTO_ANSWER)

    def _ended(self, event: CallEnded) -> None:
        last = self._calls.pop(event.call_id, None)
        self._busy_until_ns = time.monotonic_ns() + _LINGER_NS
        failed = last is not None and last.direction == "outbound" and not event.answered_at and last.state != "early"
        tone = _FAILURES.get(event.cause) if failed and not event.monitored else None
        if tone is not None and self._tones and not self._calls:
            self._port.ear.play(tone)

    def _follow(self, now_ns: int) -> None:
        if not self._tones:
            self._need(now_ns)
            return
        ringing = [c for c in self._calls.values() if c.direction == "inbound" and c.state == "ringing"]
        others = len(self._calls) - len(ringing)
        _keep(self._port.ringer, RING if ringing and not others else None, (RING,))
        _keep(self._port.ear, self._ear(bool(ringing), others), (CALL_WAITING, RING_BACK))
        self._need(now_ns)

    def _ear(self, ringing: bool, others: int) -> Tone | None:
        if ringing and others:
            return CALL_WAITING
        talking = any(c.state in ("active", "early") and not c.held for c in self._calls.values())
        waiting = any(
            c.direction == "outbound" and c.state == "ringing" and not c.monitored for c in self._calls.values()
        )
        return RING_BACK if waiting and not talking else None

    def _need(self, now_ns: int) -> None:
        port = self._port
        busy = bool(self._calls) or now_ns < self._busy_until_ns or self._trial_until_ns > 0 or port.ear.on
        needed = (busy, port.ringer.tone is not None)
        if needed != self._needed:
            self._needed = needed
            port.use(listening=needed[0], ringing=needed[1])

    def _end_trial(self) -> None:
        self._trial_until_ns = 0
        self._port.trial = None
        if self._port.ear.tone == TEST:
            self._port.ear.stop()
        self._port.ringer.stop()


def _keep(player: TonePlayer, tone: Tone | None, own: tuple[Tone, ...]) -> None:
    """Play ``tone`` on and on, or none of ``own``; any other tone that is being played is left to its end."""
    if tone is not None:
        if player.tone != tone:
            player.play(tone)
    elif player.tone in own:
        player.stop()
