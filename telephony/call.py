"""One SIP call as PJSIP sees it, and the statistics of its streams. Engine thread only; callbacks copy and return."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.addresses import read_tags, replacing_uri
from telephony.notes import (
    AnswerNote,
    DtmfNote,
    MediaNote,
    Note,
    OfferNote,
    RefusalNote,
    ReplacedNote,
    StateNote,
    TransferNote,
)
from telephony.quality import StreamTotals
from telephony.srtp import encrypted

_OVER = (pj.PJSIP_TSX_STATE_COMPLETED, pj.PJSIP_TSX_STATE_TERMINATED)
_CHALLENGES = (401, 407)
_WITH_STREAM = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD, pj.PJSUA_CALL_MEDIA_LOCAL_HOLD)


class SipCall(pj.Call):  # type: ignore[misc]
    """Copies what happens into notes; nothing is decided here, except that nobody but the agent moves a call.

    ``may_replace`` is asked, with the source's ``address:port``, whether an INVITE whose Replaces names this call's
    dialog may take its place; without it nobody may.
    """

    def __init__(
        self,
        account: Any,
        call_id: str,
        notify: Callable[[Note], None],
        slot: int = -1,
        may_replace: Callable[[str, str], bool] | None = None,
    ) -> None:
        super().__init__(account, slot)
        self.call_id = call_id
        self.totals = StreamTotals()
        self.accepted_ns = 0
        """Monotonic, when our 200 was sent; 0 before."""
        self._account = account
        self._notify = notify
        self._may_replace = may_replace
        self._codec = ""
        self._tags = ("", "")
        self._replacement = ""
        self._placing = False

    def place(self, uri: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Send the INVITE. Raises ``pj.Error``."""
        self._placing = True
        try:
            self.makeCall(uri, operation(headers=headers))
        finally:
            self._placing = False

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state in (pj.PJSIP_INV_STATE_CONNECTING, pj.PJSIP_INV_STATE_CONFIRMED):
            self._read_tags(prm.e, info.role == pj.PJSIP_ROLE_UAC)
        self._notify(StateNote(self.call_id, int(info.state), int(info.lastStatusCode), str(info.lastReason)))

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                codec, rate, secure = self._stream(int(media.index), int(media.status))
                self._codec = codec or self._codec
                self._notify(MediaNote(self.call_id, int(media.index), int(media.status), codec, rate, secure))
                return
        self._notify(MediaNote(self.call_id, -1, int(pj.PJSUA_CALL_MEDIA_NONE), "", 0))

    def onCallSdpCreated(self, prm: Any) -> None:
        if not self._placing and (offer := str(prm.remSdp.wholeSdp)):
            self._notify(OfferNote(self.call_id, offer))

    def onStreamDestroyed(self, prm: Any) -> None:
        try:
            self.totals.add(self.getStreamStat(int(prm.streamIdx)), self._codec)
        except pj.Error:
            return  # the stream never ran

    def onDtmfDigit(self, prm: Any) -> None:
        self._notify(DtmfNote(self.call_id, str(prm.digit), int(prm.method)))

    def onCallTsxState(self, prm: Any) -> None:
        transaction = prm.e.body.tsxState.tsx
        code = int(transaction.statusCode)
        ours = transaction.role == pj.PJSIP_ROLE_UAC and transaction.state in _OVER
        if ours and code >= 200 and code not in _CHALLENGES:
            self._notify(AnswerNote(self.call_id, str(transaction.method), code, str(transaction.statusText)))

    def onCallTransferRequest(self, prm: Any) -> None:
        prm.statusCode = pj.PJSIP_SC_DECLINE  # else PJSIP would dial wherever the far end says

    def onCallTransferStatus(self, prm: Any) -> None:
        self._notify(TransferNote(self.call_id, int(prm.statusCode), str(prm.reason), bool(prm.finalNotify)))

    def onCallReplaceRequest(self, prm: Any) -> None:
        source, self._replacement = str(prm.rdata.srcAddress), str(prm.rdata.wholeMsg)
        if self._may_replace is None or not self._may_replace(self.call_id, source):
            prm.statusCode = pj.PJSIP_SC_DECLINE

    def onCallReplaced(self, prm: Any) -> None:
        sip = SipCall(self._account, self.call_id, self._notify, int(prm.newCallId), self._may_replace)
        sip.totals = self.totals
        prm.newCall = sip
        self._notify(ReplacedNote(self.call_id, sip, self, self._replacement))
        self.call_id = str(uuid.uuid4())  # what else happens to this session is no longer the call's

    def ring(self) -> None:
        """Tell the caller that it rings. Raises ``pj.Error``."""
        self.answer(operation(180))

    def accept(self) -> None:
        """Answer the INVITE. Raises ``pj.Error``."""
        self.answer(operation(200))
        self.accepted_ns = time.monotonic_ns()

    def refuse(self, code: int) -> None:
        """Refuse the INVITE once PJSIP's callback has returned: inside it, one without SDP makes PJSIP abort."""
        self._notify(RefusalNote(self.call_id, self, code))

    def refuse_now(self, code: int) -> None:
        """As above, outside PJSIP's callbacks; nothing when the caller has gone meanwhile."""
        if self.isActive():
            self.hangup(operation(code))

    def statistics(self) -> Any:
        """PJSIP's ``StreamStat`` of the audio stream, or None when there is none."""
        try:
            info = self.getInfo()  # held: its media go with it
            for media in info.media:
                if media.type == pj.PJMEDIA_TYPE_AUDIO:
                    return self.getStreamStat(int(media.index))
        except pj.Error:
            return None
        return None

    def port(self, index: int) -> Any:
        """The bridge port of an audio stream, or None when it has gone meanwhile."""
        try:
            return self.getAudioMedia(index)
        except pj.Error:
            return None

    def contact_replacing(self) -> str:
        """``Refer-To`` that has somebody call this far end, at its contact, in our place. Raises ``pj.Error``."""
        info = self.getInfo()
        ours, theirs = self._tags
        return replacing_uri(str(info.remoteContact), str(info.callIdString), theirs, ours)

    def _read_tags(self, event: Any, caller: bool) -> None:
        source = event.body.rxMsg.rdata if event.type == pj.PJSIP_EVENT_RX_MSG else event.body.tsxState.src.rdata
        ours, theirs = read_tags(str(source.wholeMsg))
        if ours and theirs:
            self._tags = (ours, theirs) if caller else (theirs, ours)

    def _stream(self, index: int, status: int) -> tuple[str, int, bool]:
        """Codec, rate and whether it is SRTP."""
        if status not in _WITH_STREAM:
            return "", 0, False
        try:
            info = self.getStreamInfo(index)
        except pj.Error:
            return "", 0, False
        return str(info.codecName), 16000 if info.codecName == "G722" else 8000, encrypted(self)


def operation(code: int = 0, headers: tuple[tuple[str, str], ...] = (), unhold: bool = False) -> Any:
    """Parameters of an operation on a call, to be read only: one audio stream, no video."""
    return _with_headers(_parameters(code, unhold), headers) if headers else _kept_parameters(code, unhold)


def _parameters(code: int, unhold: bool) -> Any:
    param = pj.CallOpParam(True)
    param.opt.audioCount = 1
    param.opt.videoCount = 0
    if unhold:
        param.opt.flag = pj.PJSUA_CALL_UNHOLD
    if code:
        param.statusCode = code
    return param


_kept_parameters = cache(_parameters)
"""Making them takes as long as the rest of a call's beginning in Python."""


def _with_headers(param: Any, headers: tuple[tuple[str, str], ...]) -> Any:
    for name, value in headers:
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        param.txOption.headers.append(header)
    return param


def digits(text: str, by_info: bool = False) -> Any:
    """Parameters that send DTMF by RFC 4733, or by SIP INFO, 160 ms a digit."""
    param = pj.CallSendDtmfParam()
    param.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if by_info else pj.PJSUA_DTMF_METHOD_RFC2833
    param.duration = 160
    param.digits = text
    return param
