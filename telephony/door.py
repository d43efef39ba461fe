"""What must not reach PJSIP's upper layers, stopped in PJSIP's own chain of modules. Engine thread only.

pjsua2 cannot refuse a MESSAGE, and has no say before a session description is used. This build aborts on an address
that contradicts its type (``c=IN IP4 ::1``), waits for the name server when the address is a name, and aborts on a
request whose CSeq names the method of another one (RFC 4475, 3.1.2.17). Two small modules of ours stand where they can
say no: before the transactions, for these; and behind the dialogs, for requests that begin something other than a call.
"""

from __future__ import annotations

import ctypes
import ipaddress
import logging
import re
import socket
from collections.abc import Callable

from pjsua2 import pjsua2 as pj

log = logging.getLogger(__name__)

_BEFORE_TRANSACTIONS = 12  # PJSIP_MOD_PRIORITY_TSX_LAYER is 16
_BEHIND_DIALOGS = 40  # PJSIP_MOD_PRIORITY_UA_PROXY_LAYER is 32, _DIALOG_USAGE 48
_HERE = frozenset(("INVITE", "OPTIONS"))
"""Requests outside dialogs that PJSIP may see; it answers OPTIONS without keeping anything."""
_INSIDE = frozenset(("BYE", "CANCEL", "PRACK", "UPDATE", "INFO"))
"""Those that have a meaning only inside one."""
_ADDRESS_LINE = re.compile(r"^(?:c=|a=rtcp:[ \t]*\d+[ \t]+(?=\S))(.*)$", re.MULTILINE)
_CSEQ = re.compile(r"^CSeq\s*:\s*\d+\s+(\S+)", re.MULTILINE | re.IGNORECASE)
_MOST_STREAMS = 4  # PJSIP opens two sockets for each, of 64 in all
_FAMILIES: dict[str, Callable[[str], object]] = {"IP4": ipaddress.IPv4Address, "IP6": ipaddress.IPv6Address}

_Handler = Callable[[int], int]
_OnReceived = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Text(ctypes.Structure):
    """``pj_str_t``."""

    _fields_ = (("ptr", ctypes.c_void_p), ("slen", ctypes.c_ssize_t))


class _SdpInfo(ctypes.Structure):
    """``pjsip_rdata_sdp_info``."""

    _fields_ = (("body", _Text), ("sdp_err", ctypes.c_int), ("sdp", ctypes.c_void_p))


class _Received(ctypes.Structure):
    """The beginning of ``pjsip_rx_data`` in this build; only used where ``message`` proves to point into ``packet``."""

    _fields_ = (
        ("transport_info", ctypes.c_void_p * 38),
        ("timestamp", ctypes.c_long * 2),
        ("packet", ctypes.c_char * 4000),
        ("zero", ctypes.c_uint32),
        ("length", ctypes.c_ssize_t),
        ("source", ctypes.c_uint32 * 8),
        ("source_name", ctypes.c_char * 46),
        ("source_port", ctypes.c_int),
        ("message", ctypes.c_void_p),
        ("message_length", ctypes.c_int),
    )


class _Module(ctypes.Structure):
    """``pjsip_module``; PJSIP's interface to its users since version 1.0."""

    _fields_ = (
        ("prev", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("name", _Text),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("load", ctypes.c_void_p),
        ("start", ctypes.c_void_p),
        ("stop", ctypes.c_void_p),
        ("unload", ctypes.c_void_p),
        ("on_rx_request", _OnReceived),
        ("on_rx_response", _OnReceived),
        ("on_tx_request", ctypes.c_void_p),
        ("on_tx_response", ctypes.c_void_p),
        ("on_tsx_state", ctypes.c_void_p),
    )


_Pointer, _Int = ctypes.c_void_p, ctypes.c_int
_PACKET, _PACKET_SIZE = _Received.packet.offset, _Received.packet.size
_MESSAGE, _LENGTH = _Received.message.offset, _Received.message_length.offset


def names_its_method(method: str, head: str) -> bool:
    """Whether every CSeq among the headers of a request names the request's own method (RFC 3261, 8.1.1.5)."""
    return all(named == method for named in _CSEQ.findall(head.replace("\r", "\n")))


def is_usable(sdp: str) -> bool:
    """Whether a session description can be given to PJSIP: every stream has an address (RFC 8866, 5.7), each address is
    a number of the type that it says, and there are not more streams than a telephone call has any use for.
    """
    lines = sdp.replace("\r", "\n")
    session, *streams = lines.split("\nm=")
    everywhere = "\nc=" in session
    addressed = all(everywhere or "\nc=" in stream for stream in streams)
    return addressed and len(streams) <= _MOST_STREAMS and all(_is_address(a) for a in _ADDRESS_LINE.findall(lines))


def _is_address(text: str) -> bool:
    parts = text.split()
    family = _FAMILIES.get(parts[1]) if len(parts) == 3 and parts[0] == "IN" else None
    if family is None:
        return False
    try:
        family(parts[2].split("/")[0])
    except ValueError:
        return False
    return True


def is_plain(message: bytes) -> bool:
    """Whether this whole request is as nearly all are, and passes both tests above: one CSeq that names its method, no
    body or one session description that is all here, with one stream and one IPv4 address.

    Nine of ten requests are; this takes a sixth of the time of reading them closely, and that time is a caller's.
    """
    low = message.lower()
    head, blank, body = low.partition(b"\r\n\r\n")
    sequence = _after(head, b"\r\ncseq: ").split()
    named = head.count(b"cseq") == 1 and len(sequence) == 2 and head.startswith(sequence[1] + b" ")
    if not named or not blank or not body:
        return named and bool(blank)
    one_each = body.count(b"m=") == 1 and body.count(b"c=") == 1 and b"rtcp" not in body
    whole = head.count(b"content-length") == 1 and _after(head, b"\r\ncontent-length: ") == str(len(body)).encode()
    return one_each and whole and _is_ipv4(_after(body, b"\r\nc=in ip4 "))


def _after(text: bytes, start: bytes) -> bytes:
    """The rest of the line that begins so; empty when there is none."""
    return text.partition(start)[2].partition(b"\r\n")[0]


def _is_ipv4(text: bytes) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text.decode("ascii"))
    except (OSError, ValueError):
        return False
    return True


class Door:
    """The two modules, from ``open`` to ``close``; PJSIP runs between."""

    def __init__(self) -> None:
        self._pjsip = _declared(ctypes.CDLL(pj._pjsua2.__file__))
        self._endpoint = 0
        self._names = (ctypes.create_string_buffer(b"mod-door-sdp"), ctypes.create_string_buffer(b"mod-door-methods"))
        self._early = self._module(0, _BEFORE_TRANSACTIONS, self._request, self._answer)
        self._late = self._module(1, _BEHIND_DIALOGS, self._beginning, lambda rdata: 0)

    def open(self) -> None:
        """Stand in PJSIP's way; after ``libInit``. Raises ``RuntimeError`` when PJSIP does not take the modules."""
        self._endpoint = self._pjsip.pjsua_get_pjsip_endpt()
        for module in (self._early, self._late):
            if self._pjsip.pjsip_endpt_register_module(self._endpoint, ctypes.byref(module)):
                raise RuntimeError("PJSIP does not take the modules that guard it")

    def close(self) -> None:
        """Step aside; before ``libDestroy``."""
        if self._endpoint:
            for module in (self._late, self._early):
                self._pjsip.pjsip_endpt_unregister_module(self._endpoint, ctypes.byref(module))
            self._endpoint = 0

    def _module(self, name: int, priority: int, on_request: _Handler, on_answer: _Handler) -> _Module:
        module = _Module()
        module.name.ptr = ctypes.addressof(self._names[name])
        module.name.slen = len(self._names[name].value)
        module.id = -1
        module.priority = priority
        module.on_rx_request = _OnReceived(on_request)
        module.on_rx_response = _OnReceived(on_answer)
        return module

    def _request(self, rdata: int) -> int:
        message = _message(rdata)
        if is_plain(message):
            return 0
        head = message.partition(b"\r\n\r\n")[0].decode("latin-1")
        if not names_its_method(self._method(rdata), head):
            return self._refuse(rdata, 400)
        return 0 if self._sdp_is_usable(rdata) else self._refuse(rdata, 488)

    def _answer(self, rdata: int) -> int:
        if self._sdp_is_usable(rdata):
            return 0
        log.warning("an answer was dropped: its session description has no usable address")
        return 1

    def _beginning(self, rdata: int) -> int:
        method = self._method(rdata)
        return 0 if method in _HERE else self._refuse(rdata, 481 if method in _INSIDE else 405)

    def _refuse(self, rdata: int, code: int) -> int:
        if self._method(rdata) != "ACK":  # which is never answered
            self._pjsip.pjsip_endpt_respond_stateless(self._endpoint, rdata, code, None, None, None)
        return 1

    def _sdp_is_usable(self, rdata: int) -> bool:
        found = self._pjsip.pjsip_rdata_get_sdp_info(rdata).contents
        if not found.body.ptr or found.body.slen <= 0 or not found.sdp:
            return True  # PJSIP refuses what it cannot read
        return is_usable(ctypes.string_at(found.body.ptr, found.body.slen).decode("latin-1"))

    def _method(self, rdata: int) -> str:
        """From ``Request msg INVITE/cseq=1 (rdata0x…)``."""
        words = self._pjsip.pjsip_rx_data_get_info(rdata).decode("latin-1").split(" ")
        return str(words[2].partition("/")[0]) if len(words) > 2 else ""


def _message(rdata: int) -> bytes:
    """The message as it came; empty where this build does not lay it out as expected."""
    start = rdata + _PACKET
    at, length = _Pointer.from_address(rdata + _MESSAGE).value or 0, _Int.from_address(rdata + _LENGTH).value
    inside = start <= at and 0 < length <= start + _PACKET_SIZE - at
    return ctypes.string_at(at, length) if inside else b""


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, number = ctypes.c_void_p, ctypes.c_int
    library.pjsua_get_pjsip_endpt.restype = pointer
    library.pjsua_get_pjsip_endpt.argtypes = ()
    for name in ("pjsip_endpt_register_module", "pjsip_endpt_unregister_module"):
        getattr(library, name).restype = number
        getattr(library, name).argtypes = (pointer, ctypes.POINTER(_Module))
    library.pjsip_endpt_respond_stateless.restype = number
    library.pjsip_endpt_respond_stateless.argtypes = (pointer, pointer, number, pointer, pointer, pointer)
    library.pjsip_rx_data_get_info.restype = ctypes.c_char_p
    library.pjsip_rx_data_get_info.argtypes = (pointer,)
    library.pjsip_rdata_get_sdp_info.restype = ctypes.POINTER(_SdpInfo)
    library.pjsip_rdata_get_sdp_info.argtypes = (pointer,)
    return library
