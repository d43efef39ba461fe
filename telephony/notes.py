"""What PJSIP said of a call, copied out of its callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RingNote:
    """A call that came in was told 180; to be told of once PJSIP's callback has returned, or the 180 waits for it."""

    call_id: str
    message: str
    """The INVITE."""


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
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class OfferNote:
    """The far side made an offer; the media note follows when we accept it."""

    call_id: str
    sdp: str


@dataclass(frozen=True, slots=True)
class DtmfNote:
    call_id: str
    digit: str
    method: int
    """``PJSUA_DTMF_METHOD_*``."""


@dataclass(frozen=True, slots=True)
class AnswerNote:
    """The far end's final answer to a request of ours inside the call."""

    call_id: str
    method: str
    sip_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class TransferNote:
    """How the far end fares with our REFER, by its NOTIFYs (RFC 3515)."""

    call_id: str
    sip_code: int
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class ReplacedNote:
    """PJSIP takes an INVITE with Replaces (RFC 3891): ``sip`` goes on in the place of ``former``, which it ends."""

    call_id: str
    sip: Any
    former: Any
    message: str
    """The INVITE."""


@dataclass(frozen=True, slots=True)
class RefusalNote:
    """The INVITE of this call is to be refused with this SIP code, now that PJSIP's callback has returned."""

    call_id: str
    call: Any
    code: int


Note = RingNote | StateNote | MediaNote | OfferNote | DtmfNote | AnswerNote | TransferNote | ReplacedNote | RefusalNote
