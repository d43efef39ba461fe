"""PJMEDIA's own functions, called past pjsua2 with ctypes: ports without SWIG, the bridge's master port, the sockets.

A callback through SWIG makes objects for each frame and copies it byte by byte; ctypes hands over two addresses. ctypes
lets go of the interpreter while it calls, as pjsua2 does.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from pjsua2 import pjsua2 as pj

log = logging.getLogger(__name__)

_VERSION = b"2.15"
"""Whose structures these are; others may lie otherwise."""
_SIGNATURE = 0x41444B50
_BOTH_WAYS = 3  # PJMEDIA_DIR_ENCODING_DECODING
_POOL_BYTES = 2000
AUDIO = 1  # PJMEDIA_FRAME_TYPE_AUDIO

_Address = ctypes.c_void_p
_Unsigned = ctypes.c_uint


class MediaFrame(ctypes.Structure):
    """``pjmedia_frame`` of frame.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buf", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("timestamp", ctypes.c_uint64),
        ("bit_info", ctypes.c_uint32),
    )


class TimeVal(ctypes.Structure):
    """``pj_time_val`` of types.h."""

    _fields_ = (("sec", ctypes.c_long), ("msec", ctypes.c_long))


class _Text(ctypes.Structure):
    _fields_ = (("ptr", ctypes.c_void_p), ("slen", ctypes.c_ssize_t))


class _Format(ctypes.Structure):
    """``pjmedia_format`` of format.h, for audio."""

    _fields_ = (
        ("id", _Unsigned),
        ("type", ctypes.c_int),
        ("detail_type", ctypes.c_int),
        ("clock_rate", _Unsigned),
        ("channel_count", _Unsigned),
        ("frame_time_usec", _Unsigned),
        ("bits_per_sample", _Unsigned),
        ("avg_bps", _Unsigned),
        ("max_bps", _Unsigned),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, _Address, _Address)
_OnDestroy = ctypes.CFUNCTYPE(ctypes.c_int, _Address)


class MediaPort(ctypes.Structure):
    """``pjmedia_port`` of port.h."""

    _fields_ = (
        ("name", _Text),
        ("signature", _Unsigned),
        ("dir", ctypes.c_int),
        ("format", _Format),
        ("pdata", ctypes.c_void_p),
        ("ldata", ctypes.c_long),
        ("grp_lock", ctypes.c_void_p),
        ("get_clock_src", ctypes.c_void_p),
        ("put_frame", _Callback),
        ("get_frame", _Callback),
        ("on_destroy", _OnDestroy),
    )


FrameCallback = Callable[[int, int], int]
"""Address of the port and of the frame to the status, 0 for success. Media clock's thread."""


class Pjmedia:
    """The functions of this process's PJMEDIA. Raises ``AttributeError`` or ``OSError`` when the build hides them."""

    def __init__(self) -> None:
        library = ctypes.CDLL(pj._pjsua2.__file__)
        self._library = library
        self._kept: list[Any] = []
        """What PJMEDIA points to, as long as it may."""
        declare = partial(_declared, library)
        self.get_frame = declare("pjmedia_port_get_frame", ctypes.c_int, _Address, _Address)
        self.put_frame = declare("pjmedia_port_put_frame", ctypes.c_int, _Address, _Address)
        self.poll = declare("pj_ioqueue_poll", ctypes.c_int, _Address, _Address)
        """Waits for sockets, at most a ``TimeVal``; how many events there were."""
        self.connect = declare("pjsua_conf_connect", ctypes.c_int, ctypes.c_int, ctypes.c_int)
        self.disconnect = declare("pjsua_conf_disconnect", ctypes.c_int, ctypes.c_int, ctypes.c_int)
        self._version = declare("pj_get_version", ctypes.c_char_p)
        self._endpoint = declare("pjsua_get_pjmedia_endpt", _Address)
        self._ioqueue = declare("pjmedia_endpt_get_ioqueue", _Address, _Address)
        self._stop_threads = declare("pjmedia_endpt_stop_threads", ctypes.c_int, _Address)
        self._new_pool = declare("pjsua_pool_create", _Address, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t)
        self._release_pool = declare("pj_pool_release", None, _Address)
        self._describe = declare("pjmedia_port_info_init", ctypes.c_int, _Address, _Address, *(_Unsigned,) * 5)
        self._add_port = declare("pjsua_conf_add_port", ctypes.c_int, _Address, _Address, _Address)
        self._null_port = declare("pjmedia_null_port_create", ctypes.c_int, _Address, *(_Unsigned,) * 4, _Address)
        self._destroy_port = declare("pjmedia_port_destroy", ctypes.c_int, _Address)
        self._register = declare("pj_thread_register", ctypes.c_int, ctypes.c_char_p, _Address, _Address)

    def is_known(self, rate: int) -> bool:
        """Whether frames and ports lie in memory as they are described here. After PJSIP's initialisation.

        What is looked at is our own memory, and a port whose callbacks were looked for elsewhere has none there.
        """
        return self._version().startswith(_VERSION) and self._frames_are_known(rate) and self._ports_are_known(rate)

    def ioqueue(self) -> int:
        """The sockets of all media. After PJSIP's initialisation."""
        return int(self._ioqueue(self._endpoint()))

    def stop_workers(self) -> None:
        """End PJMEDIA's own thread for the sockets: from now on somebody must ``poll``."""
        self._stop_threads(self._endpoint())

    def register_thread(self, name: str) -> None:
        """Make the calling thread known to PJLIB; once, and only threads that last: what is kept for it stays."""
        description = (ctypes.c_long * 64)()  # pj_thread_desc
        handle = ctypes.c_void_p()
        self._kept += [description, handle]
        status = self._register(name.encode(), ctypes.addressof(description), ctypes.addressof(handle))
        if status:
            raise OSError(status, "PJLIB does not take this thread")

    def add_port(self, name: str, rate: int, give: FrameCallback | None, take: FrameCallback) -> int:
        """Put a port of 20 ms frames, 16-bit mono, on the bridge for good; its slot. Engine thread. Raises ``OSError``.

        ``give`` fills the frames that the bridge asks for; ``take`` gets one each tick, empty when nobody transmits.
        """
        port = self._port(name, rate, give, take)
        slot = ctypes.c_int(-1)
        pool = self._new_pool(b"port", _POOL_BYTES, _POOL_BYTES)
        status = self._add_port(pool, ctypes.addressof(port), ctypes.byref(slot))
        if status:
            raise OSError(status, "the bridge takes no further port")
        return slot.value

    def _port(self, name: str, rate: int, give: FrameCallback | None, take: FrameCallback) -> MediaPort:
        port, text = MediaPort(), ctypes.create_string_buffer(name.encode())
        named = _Text(ctypes.addressof(text), len(name))
        self._describe(ctypes.addressof(port), ctypes.addressof(named), _SIGNATURE, rate, 1, 16, rate // 50)
        port.put_frame = _Callback(take)
        if give is not None:
            port.get_frame = _Callback(give)
        port.on_destroy = _OnDestroy(lambda address: 0)  # nothing to release: all of it is kept here
        self._kept += [port, text]
        return port

    def _frames_are_known(self, rate: int) -> bool:
        """PJMEDIA's null port gives silence, with its type, its size and the time after it."""
        size = rate // 50 * 2
        pool, port = self._new_pool(b"check", _POOL_BYTES, _POOL_BYTES), ctypes.c_void_p()
        buffer = ctypes.create_string_buffer(b"\xff" * size, size)
        frame = MediaFrame(0, ctypes.addressof(buffer), size, 0, 0)
        made = self._null_port(pool, rate, 1, rate // 50, 16, ctypes.byref(port)) == 0
        given = made and self.get_frame(port, ctypes.addressof(frame)) == 0
        if made:
            self._destroy_port(port)
        self._release_pool(pool)
        return given and (frame.type, frame.size, frame.timestamp) == (AUDIO, size, rate // 50) and not any(buffer.raw)

    def _ports_are_known(self, rate: int) -> bool:
        seen: list[tuple[str, int, int]] = []
        port = self._port(
            "check",
            rate,
            lambda port, frame: seen.append(("get", port, frame)) or 0,  # type: ignore[func-returns-value]
            lambda port, frame: seen.append(("put", port, frame)) or 0,  # type: ignore[func-returns-value]
        )
        form = port.format
        described = (port.signature, port.dir, form.clock_rate, form.channel_count, form.bits_per_sample)
        at, frame = ctypes.addressof(port), MediaFrame()
        where = ctypes.addressof(frame)
        statuses = self.get_frame(at, where), self.put_frame(at, where)
        called = statuses == (0, 0) and seen == [("get", at, where), ("put", at, where)]
        return called and described == (_SIGNATURE, _BOTH_WAYS, rate, 1, 16) and form.frame_time_usec == 20_000


def find_pjmedia() -> Pjmedia | None:
    """PJMEDIA's functions, or None when this build does not show them."""
    try:
        return Pjmedia()
    except (AttributeError, OSError):
        log.info("this build of PJSIP hides PJMEDIA; its null device drives the bridge")
        return None


def _declared(library: Any, name: str, result: Any, *takes: Any) -> Any:
    function = getattr(library, name)
    function.argtypes, function.restype = takes, result
    return function
