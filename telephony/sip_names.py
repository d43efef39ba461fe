"""PJSIP's look-ups of host names, answered from ``Names``. Engine thread only.

PJSIP asks the system and waits, on the thread that drives every call: for each request to a host that is given by
name, in a line's setting or in a far end's Contact. So its resolver is replaced by one that never waits. The name stays
in the request, where TLS needs it.
"""

from __future__ import annotations

import ctypes
import logging
import time
from dataclasses import dataclass
from typing import Any

from pjsua2 import pjsua2 as pj

from telephony.names import Names, is_numeric

log = logging.getLogger(__name__)

_UNRESOLVED = 70018  # PJ_ERESOLVE, which becomes a 502
_PATIENCE_S = 4.0
_MOST = 64


class _Text(ctypes.Structure):
    _fields_ = (("ptr", ctypes.c_void_p), ("slen", ctypes.c_ssize_t))


class _Target(ctypes.Structure):
    """``pjsip_host_info`` of sip_types.h."""

    _fields_ = (("flag", ctypes.c_uint), ("type", ctypes.c_int), ("host", _Text), ("port", ctypes.c_int))


_Answer = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_Resolve = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(_Target), ctypes.c_void_p, ctypes.c_void_p
)


class _Hook(ctypes.Structure):
    """``pjsip_ext_resolver`` of sip_resolve.h."""

    _fields_ = (("resolve", _Resolve),)


@dataclass(frozen=True, slots=True)
class _Question:
    """One request that waits for an address; PJSIP keeps pool and token until it is answered."""

    resolver: int
    pool: int
    token: int
    answer: int
    host: str
    flag: int
    kind: int
    port: int
    until: float


class SipNames:
    """PJSIP's resolver while it is installed."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._waiting: list[_Question] = []
        self._texts: dict[str, Any] = {}
        """Addresses as C strings, kept: PJSIP holds on to what it is given as long as a request lives."""
        self._library: Any = None
        self._endpoint: int = 0
        self._hook = _Hook(_Resolve(self._resolve))
        self._hook_address = ctypes.addressof(self._hook)
        self._set_resolver: Any = None
        self._resolve_natively: Any = None

    def install(self) -> None:
        """After PJSIP was started. A build that does not let it be done waits for the system as before."""
        try:
            library = ctypes.CDLL(pj._pjsua2.__file__)
            get, use, resolve = (
                library.pjsua_get_pjsip_endpt,
                library.pjsip_endpt_set_ext_resolver,
                library.pjsip_resolve,
            )
        except (AttributeError, OSError):
            log.warning("this build of PJSIP resolves host names by itself; a dead name server delays it")
            return
        get.restype = ctypes.c_void_p
        use.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        resolve.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(_Target), ctypes.c_void_p, ctypes.c_void_p)
        resolve.restype = None
        self._library, self._endpoint = library, get()
        self._set_resolver, self._resolve_natively = use, resolve
        self._use(True)

    def turn(self) -> None:
        """Answer the requests whose address has come or will not come."""
        if not self._waiting:
            return
        now = time.monotonic()
        waiting, self._waiting = self._waiting, []
        for question in waiting:
            address = self._address(question.host)
            if address:
                self._answer(question, address)
            elif now > question.until or self._names.unknown(question.host):
                _refuse(question)
            else:
                self._waiting.append(question)

    def close(self) -> None:
        """Before PJSIP ends."""
        waiting, self._waiting = self._waiting, []
        for question in waiting:
            _refuse(question)
        if self._library is not None:
            self._use(False)
            self._library = None

    def _use(self, ours: bool) -> None:
        self._set_resolver(self._endpoint, self._hook_address if ours else None)

    def _resolve(self, resolver: int, pool: int, target: Any, token: int, answer: int) -> None:
        """PJSIP asks. The answer is given exactly once, here or in ``turn``."""
        asked = target.contents
        host = ctypes.string_at(asked.host.ptr, asked.host.slen).decode("utf-8", "replace").strip("[]")
        if is_numeric(host):
            self._pass_on(resolver, pool, target, token, answer)
            return
        until = time.monotonic() + _PATIENCE_S
        question = _Question(resolver, pool, token, answer, host, asked.flag, asked.type, asked.port, until)
        address = self._address(host)
        if address:
            self._answer(question, address)
        elif len(self._waiting) >= _MOST:
            _refuse(question)
        else:
            self._waiting.append(question)

    def _address(self, host: str) -> str:
        """The first IPv4 address: the transports are IPv4's."""
        found = self._names.addresses(host)
        return next((address for address in found if ":" not in address), "")

    def _answer(self, question: _Question, address: str) -> None:
        """Let PJSIP's own resolver do the rest with the address in the name's place."""
        text = self._texts.setdefault(address, ctypes.create_string_buffer(address.encode()))
        host = _Text(ctypes.addressof(text), len(address))
        target = _Target(question.flag, question.kind, host, question.port)
        self._pass_on(question.resolver, question.pool, ctypes.byref(target), question.token, question.answer)

    def _pass_on(self, resolver: int, pool: int, target: Any, token: int, answer: int) -> None:
        self._use(False)
        try:
            self._resolve_natively(resolver, pool, target, token, answer)
        finally:
            self._use(True)


def _refuse(question: _Question) -> None:
    _Answer(question.answer)(_UNRESOLVED, question.token, None)
