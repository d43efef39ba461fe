"""Which calls are up, which of them the person is talking on, and what is known of each call's sound."""

from __future__ import annotations

from agent_desktop.services.call_views import AlarmView, CallView, QualityView, TransferView
from agent_desktop.ui.collector.call_text import ringing_in
from agent_desktop.ui.sound_text import ALARMS


class CallBook:
    """Two calls at most: ``shown`` in the panel's first place, ``other`` below it. Plain state, no widgets."""

    def __init__(self) -> None:
        self._up: dict[str, CallView] = {}
        self._shown = ""
        self._last: CallView | None = None
        self._alarms: dict[str, set[str]] = {}
        self._quality: dict[str, QualityView] = {}
        self._transfers: dict[str, TransferView] = {}
        self._consulted = ""

    @property
    def shown(self) -> CallView | None:
        """The call that is talked on, else the one that is up or rings; when none is, the one that ended last."""
        return self._up.get(self._shown, self._last)

    @property
    def up(self) -> CallView | None:
        """As ``shown``, but None once it has ended."""
        return self._up.get(self._shown)

    @property
    def other(self) -> CallView | None:
        """The second call."""
        return next((view for view in self._up.values() if view.id != self._shown), None)

    @property
    def ringing(self) -> CallView | None:
        """The call that waits to be answered, alone or beside another one."""
        rings = sorted((view for view in self._up.values() if ringing_in(view)), key=lambda v: v.id != self._shown)
        return rings[0] if rings else None

    @property
    def two(self) -> bool:
        """There are two calls that were made or answered; one that only waits does not count."""
        return sum(not ringing_in(view) for view in self._up.values()) > 1

    @property
    def busy(self) -> bool:
        return bool(self._up)

    @property
    def conference(self) -> bool:
        return len(self._up) > 1 and all(view.conference for view in self._up.values())

    @property
    def consulted(self) -> str:
        """The call that was dialled to ask before a transfer; empty when there is none beside the first."""
        return self._consulted if len(self._up) > 1 and self._consulted in self._up else ""

    def consult(self, call_id: str) -> None:
        """This call is dialled to ask before a transfer; it may not have been heard of yet."""
        self._consulted = call_id

    def talking_beside(self, view: CallView) -> bool:
        """Another call is up that the person made or answered."""
        return any(other.id != view.id and not ringing_in(other) for other in self._up.values())

    def alarms(self, call_id: str) -> tuple[str, ...]:
        """Kinds of alarms that are on, the gravest first."""
        known = self._alarms.get(call_id, set())
        return tuple(sorted(known, key=lambda kind: ALARMS.index(kind) if kind in ALARMS else len(ALARMS)))

    def quality(self, call_id: str) -> QualityView | None:
        return self._quality.get(call_id)

    @property
    def transfer(self) -> TransferView | None:
        """The last that was said of a transfer of a call that is up."""
        return next(reversed(self._transfers.values()), None)

    def take(self, view: CallView) -> None:
        """A call changed."""
        if view.state != "ended":
            self._up[view.id] = view
        else:
            self._up.pop(view.id, None)
            self._last = view
            self._forget(view.id)
        self._choose()

    def take_sealed(self, view: CallView) -> None:
        """What became of the recording of a call that is over."""
        if self._last is not None and self._last.id == view.id:
            self._last = view

    def _choose(self) -> None:
        """Stay with the call that is talked on; follow the person to the other one when that is."""
        shown = self._up.get(self._shown)
        if shown is not None and _talked_on(shown):
            return
        talked = next((view.id for view in self._up.values() if _talked_on(view)), "")
        self._shown = talked or (shown.id if shown is not None else next(iter(self._up), ""))

    def _forget(self, call_id: str) -> None:
        self._alarms.pop(call_id, None)
        self._quality.pop(call_id, None)
        self._transfers.pop(call_id, None)

    def take_alarm(self, alarm: AlarmView) -> None:
        if alarm.call_id in self._up:
            kinds = self._alarms.setdefault(alarm.call_id, set())
            (kinds.add if alarm.on else kinds.discard)(alarm.kind)

    def take_quality(self, quality: QualityView) -> None:
        if quality.call_id in self._up:
            self._quality[quality.call_id] = quality

    def take_transfer(self, transfer: TransferView) -> None:
        if transfer.call_id in self._up:
            self._transfers.pop(transfer.call_id, None)
            self._transfers[transfer.call_id] = transfer

    def forget_failed_transfer(self) -> None:
        """The person goes on to something else: what was said of an earlier try no longer matters."""
        self._transfers = {call_id: view for call_id, view in self._transfers.items() if view.state != "failed"}


def _talked_on(view: CallView) -> bool:
    """The call has the headset, or is about to: it was dialled from here, or it is up and not on hold."""
    return not ringing_in(view) and not view.held
