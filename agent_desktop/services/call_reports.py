"""What the line process reports about calls besides their state: levels, quality, alarms, transfers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from agent_desktop.services.call_views import AlarmView, LevelsView, QualityView, TransferView
from agent_desktop.services.listeners import Listeners
from telephony import messages


class CallReports:
    """Passes reports of this seat's own calls on; ``knows`` tells them from a lead's listening leg.

    Listeners are called on the thread that brings the event.
    """

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self.levels: Listeners[LevelsView] = Listeners()
        self.transfers: Listeners[TransferView] = Listeners()
        self.quality: Listeners[QualityView] = Listeners()
        self.alarms: Listeners[AlarmView] = Listeners()
        self._knows = knows
        self._reports: dict[type, tuple[Listeners[Any], type]] = {
            messages.Levels: (self.levels, LevelsView),
            messages.TransferState: (self.transfers, TransferView),
            messages.CallQuality: (self.quality, QualityView),
            messages.CallAlarm: (self.alarms, AlarmView),
        }

    def on_event(self, event: messages.Message) -> None:
        """Take an event of the line process."""
        found = self._reports.get(type(event))
        if found is None:
            return
        listeners, view = found
        values = {field.name: getattr(event, field.name) for field in fields(view)}
        if self._knows(values["call_id"]):
            listeners.emit(view(**values))
