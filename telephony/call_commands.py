"""Commands about calls that are up: each looks the call up and hands it to the part that knows. Engine thread only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telephony.addresses import is_number
from telephony.answering import Answering
from telephony.call import SipCall, operation
from telephony.call_table import CallTable
from telephony.conference import Conference
from telephony.dtmf import Dtmf
from telephony.errors import CommandError
from telephony.holding import Holding
from telephony.lines import Line, Lines
from telephony.live_call import LiveCall
from telephony.messages import (
    Command,
    LeaveConference,
    SendDtmf,
    SetAnswering,
    SetConference,
    SetHold,
    SetMute,
    SwitchTo,
    Transfer,
    TransferToCall,
)
from telephony.taping import Taping
from telephony.transfer import Transfers


class CallCommands:
    """Each command raises ``CommandError``."""

    def __init__(
        self,
        lines: Lines,
        table: CallTable,
        taping: Taping,
        holding: Holding,
        transfers: Transfers,
        conference: Conference,
        dtmf: Dtmf,
        answering: Answering,
    ) -> None:
        self._lines = lines
        self._table = table
        self._taping = taping
        self._holding = holding
        self._transfers = transfers
        self._conference = conference
        self._dtmf = dtmf
        self._answering = answering

    def handlers(self) -> dict[type[Command], Callable[[Any], None]]:
        return {
            SetMute: self._set_mute,
            SetHold: self._set_hold,
            SwitchTo: self._switch_to,
            SetConference: self._set_conference,
            LeaveConference: lambda c: self._leave_conference(),
            Transfer: self._transfer,
            TransferToCall: self._transfer_to_call,
            SendDtmf: self._send_dtmf,
            SetAnswering: self._answering.set,
        }

    def _set_mute(self, command: SetMute) -> None:
        call = self._table.known(command.call_id)
        if call.muted == command.on:
            return
        call.muted = command.on
        self._taping.mark(call, "mute" if command.on else "unmute")
        self._table.tell(call)

    def _set_hold(self, command: SetHold) -> None:
        call = self._table.active(command.call_id)
        if command.on or call.conference:
            self._holding.set(call, command.on)
        else:
            self._holding.take(call)

    def _switch_to(self, command: SwitchTo) -> None:
        call = self._table.active(command.call_id)
        if call.conference:
            self._conference.part(keep=call)
        else:
            self._holding.take(call)

    def _set_conference(self, command: SetConference) -> None:
        if command.on:
            self._conference.join()
        else:
            self._conference.part()

    def _leave_conference(self) -> None:
        parties = self._conference.parties()
        if len(parties) != 2:
            raise CommandError("wrong_state", "no calls are joined")
        self._connect(parties[0], parties[1], hold=False)

    def _transfer(self, command: Transfer) -> None:
        call = self._transferable(command.call_id)
        digits = command.digits or command.number
        if not is_number(command.number) or not is_number(digits):
            raise CommandError("bad_number", "this number cannot be dialled")
        uri = self._line(call).dial_uri(digits)
        self._conference.ended(call)
        self._transfers.begin(call, command.number, lambda sip: sip.xfer(f"<{uri}>", operation()))

    def _transfer_to_call(self, command: TransferToCall) -> None:
        call, other = self._transferable(command.call_id), self._transferable(command.other_call_id)
        if call is other:
            raise CommandError("wrong_state", "a call cannot be connected with itself")
        self._connect(call, other, hold=not call.conference)

    def _connect(self, call: LiveCall, other: LiveCall, hold: bool) -> None:
        registered = self._line(other).config.register

        def refer(sip: SipCall) -> None:
            if other.sip is None:
                raise CommandError("wrong_state", "the other call is over")
            if registered:
                sip.xferReplaces(other.sip, operation())
            else:  # no registrar knows where the other far end is: only its contact does
                sip.xfer(other.sip.contact_replacing(), operation())

        self._transfers.begin(call, other.number, refer, other, hold)

    def _send_dtmf(self, command: SendDtmf) -> None:
        call = self._table.active(command.call_id)
        self._dtmf.send(call, command.digits, self._line(call).config.dtmf == "info")

    def _transferable(self, call_id: str) -> LiveCall:
        call = self._table.active(call_id)
        if call.monitored:
            raise CommandError("wrong_state", "a listening leg cannot be transferred")
        return call

    def _line(self, call: LiveCall) -> Line:
        return self._lines.known(call.line_id)
