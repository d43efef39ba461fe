"""Listening in on the seat that is selected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from agent_desktop.domain.models import SeatState
from agent_desktop.services.wallboard import MonitorView, WallboardService
from agent_desktop.ui.background import Relay, Serial
from agent_desktop.ui.language import translate
from agent_desktop.ui.lead import words
from agent_desktop.ui.problems import sentence
from agent_desktop.ui.terms import agent_state_tone
from agent_desktop.ui.theme import Tone, set_look
from agent_desktop.ui.widgets.badge import Badge
from agent_desktop.ui.widgets.key_cap import KeyButton
from agent_desktop.ui.widgets.labels import ElidedLabel, label
from agent_desktop.ui.widgets.meters import LevelMeter
from agent_desktop.ui.widgets.panel import Card

_UNDER_WAY = ("asking", "connecting", "on")


class MonitorPanel(Card):
    """The selected seat; Listen asks for a permission and connects. Stop is here while any seat is listened to."""

    def __init__(self, wallboard: WallboardService) -> None:
        super().__init__(tone="accent")
        self._wallboard = wallboard
        self._work = Serial(self)
        self._seat: SeatState | None = None
        self._heard_seat: SeatState | None = None
        self._view = MonitorView("", "listen", "ended")
        self._error: Exception | str = ""
        self._error_seat = ""
        self.name = label("heading", name="lead.name")
        self.state = Badge()
        self.time = label("dim", name="lead.time")
        self.about = ElidedLabel("secondary")
        self.about.setObjectName("lead.about")
        self.listen_button = KeyButton("1", kind="primary", name="lead.listen")
        self.stop_button = KeyButton("Esc", name="lead.stop")
        self.status = label("", name="lead.status", wrap=True)
        self.meter = LevelMeter("lead.heard")
        self._heard_name = label("secondary")
        self.grant = label("secondary", name="lead.grant", wrap=True)
        self.error = label("", name="lead.error", tone=Tone.BAD, wrap=True)
        self._lay_out()
        self.listen_button.clicked.connect(self.listen)
        self.stop_button.clicked.connect(self.stop)
        Relay(wallboard.monitor_changed, self._on_monitor, self)
        self.retranslate()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.name)
        top.addWidget(self.state)
        top.addStretch(1)
        top.addWidget(self.time)
        self._meter_row = QWidget()
        meter = QHBoxLayout(self._meter_row)
        meter.setContentsMargins(0, 0, 0, 0)
        meter.setSpacing(8)
        meter.addWidget(self._heard_name)
        meter.addWidget(self.meter, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.listen_button, 1)
        buttons.addWidget(self.stop_button, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 14, 16, 14)
        box.setSpacing(8)
        box.addLayout(top)
        for widget in (self.about, self.status, self._meter_row):
            box.addWidget(widget)
        box.addLayout(buttons)
        for widget in (self.error, self.grant):
            box.addWidget(widget)

    def retranslate(self) -> None:
        self.stop_button.setText(translate("Lead", "Stop"))
        self._heard_name.setText(translate("Lead", "Heard"))
        self.meter.setAccessibleName(translate("Lead", "Level of what is heard"))
        self._tell()

    # --- the seat

    def show_seat(self, seat: SeatState | None) -> None:
        """Show another seat, or the same one as it is now."""
        if seat is not None and self._error_seat != seat.seat_id:
            self._error = ""
        self._seat = seat
        self._tell()

    def keep_heard(self, seat: SeatState | None) -> None:
        """The seat that is listened to, as it is now: for its name."""
        self._heard_seat = seat or self._heard_seat

    def tick(self) -> None:
        """A second has passed."""
        seat = self._seat
        if seat is not None:
            self.time.setText(words.time_text(seat, datetime.now(UTC)))

    # --- listening

    @property
    def heard_id(self) -> str:
        """The seat that is listened to or being connected; empty when none."""
        return self._view.seat_id if self._view.state in _UNDER_WAY else ""

    def listen(self) -> None:
        """Listen to the selected seat, instead of the one listened to so far."""
        seat = self._seat
        if seat is None or not self.listen_button.isEnabled() or self.heard_id == seat.seat_id:
            return
        if self.heard_id:
            self._work.run(self._wallboard.stop_listening)
        self._error, self._heard_seat = "", seat
        self._view = MonitorView(seat.seat_id, "listen", "asking")
        self._tell()
        wanted = seat.seat_id
        self._work.run(lambda: self._wallboard.listen(wanted), None, lambda error: self._on_error(wanted, error))

    def stop(self) -> None:
        if self.heard_id:
            self._view = MonitorView(self._view.seat_id, self._view.mode, "ended")
            self._tell()
            self._work.run(self._wallboard.stop_listening, None, lambda error: self._on_error("", error))

    def _on_monitor(self, view: MonitorView) -> None:
        # News of a leg that was stopped, or left for another seat, may still be on its way.
        if view.seat_id != self.heard_id:
            return
        old, self._view = self._view, view
        if view.state == "on":
            self.meter.set_level(view.heard_dbfs)
        if view.problem:
            self._error, self._error_seat = view.problem, view.seat_id
        if replace(old, heard_dbfs=view.heard_dbfs) != view:
            self._tell()

    def _on_error(self, seat_id: str, error: Exception) -> None:
        if seat_id and seat_id == self._view.seat_id:
            self._view = MonitorView(seat_id, "listen", "failed")
        self._error, self._error_seat = error, seat_id
        self._tell()

    # --- what is said

    def _tell(self) -> None:
        seat, heard = self._seat, self.heard_id
        self._tell_seat(seat)
        mine = seat is not None and heard == seat.seat_id
        self._tell_buttons(seat, heard, mine=mine)
        on = self._view.state == "on"
        self._meter_row.setVisible(on)
        if not on:
            self.meter.clear()
        self._tell_status(heard, mine=mine)
        granted_at = self._view.granted_at if heard else None
        self.grant.setText(
            translate("Lead", "Authorised and logged · since {time}").format(time=f"{granted_at.astimezone():%H:%M:%S}")
            if granted_at
            else translate("Lead", "Each listening needs the server's permission and is logged.")
        )
        error = self._error
        said = sentence(error) if isinstance(error, Exception) else words.monitor_problem(error) if error else ""
        self.error.setText(said)
        self.error.setVisible(bool(said))

    def _tell_buttons(self, seat: SeatState | None, heard: str, *, mine: bool) -> None:
        had_focus = self.listen_button.hasFocus() or self.stop_button.hasFocus()
        self.stop_button.setVisible(bool(heard))
        self.listen_button.setVisible(not mine)
        self.listen_button.setEnabled(seat is not None and seat.state != "offline")
        self.listen_button.setText(translate("Lead", "Listen"))
        if had_focus:  # Qt would pass it on to whatever comes next, out of this panel
            (self.stop_button if heard else self.listen_button).setFocus()

    def _tell_seat(self, seat: SeatState | None) -> None:
        if seat is None:
            self.name.setText(translate("Lead", "Choose a seat"))
            self.state.set("")
            self.time.setText("")
            self.about.setText(translate("Lead", "Arrow keys move through the seats."))
            self.about.show()
            return
        self.name.setText(seat.agent_name)
        self.state.set(words.state_text(seat), agent_state_tone(seat.state))
        self.tick()
        parts = (seat.debtor_name, seat.client, seat.stage, seat.case_number)
        said = " · ".join(part for part in parts if part)
        self.about.setText(said or words.line_of(seat))
        self.about.setVisible(bool(self.about.text()))

    def _tell_status(self, heard: str, *, mine: bool) -> None:
        name = "" if mine or self._heard_seat is None else self._heard_seat.agent_name
        text, tone = "", Tone.GREY
        if heard and self._view.state == "asking":
            text = translate("Lead", "Asking for permission…")
        elif heard and self._view.state == "connecting":
            text = translate("Lead", "Connecting…")
        elif heard and name:
            text, tone = translate("Lead", "Listening to {name}").format(name=name), Tone.BAD
        elif heard:
            text, tone = translate("Lead", "Listening"), Tone.BAD
        elif self._seat is not None and not self._seat.seated:
            text = translate("Lead", "Not signed in: there is nothing to listen to.")
        elif self._seat is not None and self._seat.state == "offline":
            text = translate("Lead", "This seat is offline: there is nothing to listen to.")
        self.status.setText(f"● {text}" if tone is Tone.BAD else text)
        set_look(self.status, tone=tone.value)
        self.status.setVisible(bool(text))
