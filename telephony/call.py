"""One SIP call as PJSIP sees it, and the statistics of its streams. Engine thread only; callbacks copy and return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pjsua2 import pjsua2 as pj


@dataclass(frozen=True, slots=True)
class StateNote:
    """The INVITE session moved: ``state`` is a ``PJSIP_INV_STATE_*``."""

    call_id: str
    state: int
    sip_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class MediaNote:
    """The session's media was negotiated (again)."""

    call_id: str
    index: int
    """Number of the audio stream in the session; −1 when there is none."""
    status: int
    """``PJSUA_CALL_MEDIA_*``."""
    codec: str
    rate: int


@dataclass(frozen=True, slots=True)
class DtmfNote:
    call_id: str
    digit: str


Note = StateNote | MediaNote | DtmfNote


@dataclass(slots=True)
class StreamTotals:
    """RTP counts of a call, added up over its streams: a hold makes PJSIP start a new one."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, statistics: Any, codec: str) -> None:
        """Add the counts of a stream that ends."""
        rx, tx, rtt = statistics.rtcp.rxStat, statistics.rtcp.txStat, statistics.rtcp.rttUsec
        for key, count in (
            ("rx_packets", rx.pkt),
            ("rx_lost", rx.loss),
            ("tx_packets", tx.pkt),
            ("tx_lost", tx.loss),
        ):
            self.values[key] = self.values.get(key, 0) + int(count)
        self.values["codec"] = codec
        self.values["rx_jitter_ms"] = round(rx.jitterUsec.mean / 1000, 2)
        if rtt.n:
            self.values["rtt_ms"] = round(rtt.mean / 1000, 2)


class SipCall(pj.Call):  # type: ignore[misc]
    """Copies what happens into notes; nothing is decided here, except that nobody but the agent moves a call."""

    def __init__(self, account: Any, call_id: str, notify: Callable[[Note], None], slot: int = -1) -> None:
        super().__init__(account, slot)
        self.call_id = call_id
        self.totals = StreamTotals()
        self._notify = notify
        self._codec = ""

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        self._notify(StateNote(self.call_id, int(info.state), int(info.lastStatusCode), str(info.lastReason)))

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                codec, rate = self._codec_of(int(media.index), int(media.status))
                self._codec = codec or self._codec
                self._notify(MediaNote(self.call_id, int(media.index), int(media.status), codec, rate))
                return
        self._notify(MediaNote(self.call_id, -1, int(pj.PJSUA_CALL_MEDIA_NONE), "", 0))

    def onStreamDestroyed(self, prm: Any) -> None:
        try:
            self.totals.add(self.getStreamStat(int(prm.streamIdx)), self._codec)
        except pj.Error:
            return  # the stream never ran

    def onDtmfDigit(self, prm: Any) -> None:
        self._notify(DtmfNote(self.call_id, str(prm.digit)))

    def onCallTransferRequest(self, prm: Any) -> None:
        prm.statusCode = pj.PJSIP_SC_DECLINE  # else PJSIP would dial wherever the far end says

    def onCallReplaceRequest(self, prm: Any) -> None:
        prm.statusCode = pj.PJSIP_SC_DECLINE

    def port(self, index: int) -> Any:
        """The bridge port of an audio stream, or None when it has gone meanwhile."""
        try:
            return self.getAudioMedia(index)
        except pj.Error:
            return None

    def _codec_of(self, index: int, status: int) -> tuple[str, int]:
        if status not in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
            return "", 0
        try:
            info = self.getStreamInfo(index)
        except pj.Error:
            return "", 0
        return str(info.codecName), 16000 if info.codecName == "G722" else 8000


def operation(code: int = 0, headers: tuple[tuple[str, str], ...] = (), unhold: bool = False) -> Any:
    """Parameters of an operation on a call: one audio stream, no video."""
    param = pj.CallOpParam(True)
    param.opt.audioCount = 1
    param.opt.videoCount = 0
    if unhold:
        param.opt.flag = pj.PJSUA_CALL_UNHOLD
    if code:
        param.statusCode = code
    for name, value in headers:
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        param.txOption.headers.append(header)
    return param


def digits(text: str) -> Any:
    """Parameters that send DTMF by RFC 4733, 160 ms a digit."""
    param = pj.CallSendDtmfParam()
    param.method = pj.PJSUA_DTMF_METHOD_RFC2833
    param.duration = 160
    param.digits = text
    return param
