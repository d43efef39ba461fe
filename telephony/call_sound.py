"""All that concerns sound beside the calls' own, for the engine's core: tones, alarms, levels, the media clock.

Engine thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pjsua2 import pjsua2 as pj

from telephony.alarms import Alarms, Loudness
from telephony.bridge import Bridge
from telephony.endpoint import Library
from telephony.live_call import LiveCall
from telephony.messages import Event, Levels, TestAudio
from telephony.sounds import Sounds


class CallSound:
    """Hears every event that the engine publishes, and follows the calls turn by turn.

    Without a call, a lead's leg or something to be heard the media clock stands still: then nothing runs 50 times a
    second.
    """

    def __init__(
        self,
        library: Library,
        bridge: Bridge,
        tones: bool,
        notify: Callable[[Levels], None],
        publish: Callable[[Event], None],
    ) -> None:
        self._library = library
        self._bridge = bridge
        self._publish = publish
        self._alarms = Alarms(publish)
        self._sounds = Sounds(bridge.sound, tones, notify)

    def publish(self, event: Event) -> None:
        """Send an event to the clients, and let it be heard."""
        self._publish(event)
        self._sounds.heard(event)
        self._alarms.heard(event)

    def note(self, note: Loudness | Levels) -> None:
        """The last tenth of a second of a call, or of a trial of the devices."""
        if isinstance(note, Loudness):
            self._publish(note.levels)
            self._alarms.loudness(note)
        else:
            self._publish(note)

    def test(self, command: TestAudio) -> None:
        """Carry out the command. Raises ``CommandError``."""
        self._sounds.test(command)

    def follow(self, live: Iterable[LiveCall], busy: bool) -> None:
        """A turn of the engine's loop. ``busy``: PJSIP still holds a session that needs the clock."""
        now = time.monotonic_ns()
        self._sounds.on_time(now)
        due = set(self._alarms.due(now))
        for call in live:
            if call.call_id in due:
                self._alarms.packets(call.call_id, _packets(call), now)
        self._run_clock(busy or self._sounds.awake)

    def close(self) -> None:
        """Stop the media clock, for the end of the process."""
        self._run_clock(False)

    def _run_clock(self, on: bool) -> None:
        clock = self._library.drive.clock
        if on and not clock.runs:
            clock.start()
        elif not on:
            clock.stop()


def _packets(call: LiveCall) -> int | None:
    """RTP packets that the call's present stream has received; None when it has none."""
    if call.sip is None:
        return None
    try:
        return int(call.sip.getStreamStat(0).rtcp.rxStat.pkt)
    except pj.Error:
        return None
