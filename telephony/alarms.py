"""What is wrong with a call's sound: nothing arrives, a side is silent, a side clips. Engine thread only.

Each alarm must be out within 5 s of what causes it (T5), and none may go off in an ordinary conversation:

- ``no_rtp``: no packet for 3 s, looked at each second, so out after 4 s at the latest. RTP comes 50 times a second, and
  a network that loses 150 packets on end has lost the call. A peer that stops sending in pauses (voice activity
  detection, RFC 3551, 4.1) raises it after 3 s of pause; such trunks should be set not to.
- ``agent_silent``, ``far_silent``: below −70 dBFS for 4.5 s (decision 8 says why so low). While nothing arrives,
  that is said, and not that the far side is silent.
- ``agent_clipping``, ``far_clipping``: a tenth of a second clips when 1 % of its samples are at full scale
  (``telephony.pcm.clips``); speech has a peak in each syllable, four to five a second, so 6 of the last 20 tenths are
  two seconds in which every other syllable was cut off. A cough or a dropped headset makes one or two.

An alarm is withdrawn when packets come, when the side is heard for a fifth of a second, when nothing clipped for 3 s;
and always when the side is muted or held, or the call is not active: no sound is then as it should be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from telephony.messages import CallAlarm, CallEnded, CallState, Event, Levels

SILENT_DBFS = -70.0
_SILENT_WINDOWS = 45
_HEARD_WINDOWS = 2
_CLIP_SPAN = 20
_CLIP_WINDOWS = 6
_CLEAN_WINDOWS = 30
_NO_PACKETS_NS = 3_000_000_000
_COUNT_EVERY_NS = 1_000_000_000
_KINDS = ("no_rtp", "far_silent", "agent_silent", "far_clipping", "agent_clipping")


@dataclass(frozen=True, slots=True)
class Loudness:
    """A tenth of a second of a call: its levels, and whether each side clips in it."""

    levels: Levels
    agent_clips: bool
    far_clips: bool


class _Silence:
    """One side's silence."""

    def __init__(self) -> None:
        self.on = False
        self._quiet = self._heard = 0

    def take(self, dbfs: float, expected: bool) -> None:
        """``expected``: somebody should be heard."""
        if not expected:
            self.on, self._quiet, self._heard = False, 0, 0
        elif dbfs < SILENT_DBFS:
            self._quiet, self._heard = self._quiet + 1, 0
            self.on = self.on or self._quiet >= _SILENT_WINDOWS
        else:
            self._heard += 1
            if self._heard >= _HEARD_WINDOWS:
                self.on, self._quiet = False, 0


class _Clipping:
    """One side's clipping."""

    def __init__(self) -> None:
        self.on = False
        self._recent: deque[bool] = deque(maxlen=_CLIP_SPAN)
        self._clean = 0

    def take(self, clips: bool, expected: bool) -> None:
        if not expected:
            self.on, self._clean = False, 0
            self._recent.clear()
            return
        self._recent.append(clips)
        self._clean = 0 if clips else self._clean + 1
        if sum(self._recent) >= _CLIP_WINDOWS:
            self.on = True
        elif self._clean >= _CLEAN_WINDOWS:
            self.on = False


class _Arrival:
    """Whether packets arrive. Any other count than before is good: a lower one is that of a new stream."""

    def __init__(self) -> None:
        self.on = False
        self._count: int | None = None
        self._since_ns = 0

    def take(self, count: int | None, expected: bool, now_ns: int) -> None:
        if not expected or count is None:
            self.on, self._since_ns, self._count = False, now_ns, None
        elif count != self._count:
            first = self._count is None
            self._count = count
            self.on, self._since_ns = False, self._since_ns if first and self._since_ns else now_ns
        elif now_ns - self._since_ns >= _NO_PACKETS_NS:
            self.on = True


@dataclass(slots=True)
class _Watch:
    """One call."""

    state: CallState
    far: _Silence = field(default_factory=_Silence)
    agent: _Silence = field(default_factory=_Silence)
    far_clip: _Clipping = field(default_factory=_Clipping)
    agent_clip: _Clipping = field(default_factory=_Clipping)
    arrival: _Arrival = field(default_factory=_Arrival)
    told: set[str] = field(default_factory=set)

    @property
    def hears(self) -> bool:
        """The far side should be heard."""
        return self.state.state == "active" and not self.state.held and not self.state.far_held

    @property
    def speaks(self) -> bool:
        """The agent should be heard."""
        return self.hears and not self.state.muted and not self.state.monitored

    def on(self) -> set[str]:
        values = (self.arrival.on, self.far.on, self.agent.on, self.far_clip.on, self.agent_clip.on)
        kinds = {kind for kind, on in zip(_KINDS, values, strict=True) if on}
        return kinds - {"far_silent"} if "no_rtp" in kinds else kinds


class Alarms:
    """Watches every call that is up. ``publish`` gets ``call_alarm`` events."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._watches: dict[str, _Watch] = {}
        self._count_at_ns = 0

    def heard(self, event: Event) -> None:
        """An event on its way to the clients; others than those of calls are ignored."""
        if isinstance(event, CallState) and event.state != "ended":
            watch = self._watches.setdefault(event.call_id, _Watch(event))
            watch.state = event
            if not watch.hears:
                self._take(watch, Loudness(Levels(event.call_id, 0.0, 0.0), False, False))
                watch.arrival.take(None, False, 0)
                self._tell(watch)
        elif isinstance(event, CallState | CallEnded):
            self._watches.pop(event.call_id, None)

    def loudness(self, note: Loudness) -> None:
        """The last tenth of a second of a call."""
        watch = self._watches.get(note.levels.call_id)
        if watch is not None:
            self._take(watch, note)
            self._tell(watch)

    def due(self, now_ns: int) -> Iterable[str]:
        """Ids of the calls whose packets should be counted now: each second, those where packets should come."""
        if now_ns < self._count_at_ns:
            return ()
        self._count_at_ns = now_ns + _COUNT_EVERY_NS
        return [call_id for call_id, watch in self._watches.items() if watch.hears]

    def packets(self, call_id: str, count: int | None, now_ns: int) -> None:
        """How many RTP packets this call's stream has received; None when it cannot be said."""
        watch = self._watches.get(call_id)
        if watch is not None:
            watch.arrival.take(count, watch.hears, now_ns)
            self._tell(watch)

    def _take(self, watch: _Watch, note: Loudness) -> None:
        hears, speaks = watch.hears, watch.speaks
        watch.far.take(note.levels.far_dbfs, hears)
        watch.agent.take(note.levels.agent_dbfs, speaks)
        watch.far_clip.take(note.far_clips, hears)
        watch.agent_clip.take(note.agent_clips, speaks)

    def _tell(self, watch: _Watch) -> None:
        on = watch.on()
        for kind in _KINDS:
            if (kind in on) != (kind in watch.told):
                self._publish(CallAlarm(watch.state.call_id, kind, kind in on))
        watch.told = on
