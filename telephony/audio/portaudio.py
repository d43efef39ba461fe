"""PortAudio's devices, and one stream opened from them. Only in processes that may die: see ``worker``.

PortAudio reads its list once, when it is initialised, so a process sees the devices that were there when it began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telephony.interfaces import HeadsetError

_HOST_API_ORDER = ("Windows WASAPI", "Core Audio", "ALSA", "JACK Audio Connection Kit", "Windows DirectSound", "MME")
_DEVICE_UNAVAILABLE = -9985  # paDeviceUnavailable
_INVALID_DEVICE = -9996  # paInvalidDevice


@dataclass(frozen=True, slots=True)
class Device:
    """One direction of one device as PortAudio numbers it in this process."""

    index: int
    name: str
    host_api: str
    channels: int
    rate: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How a stream was opened: samples a second and channels."""

    rate: int
    channels: int


def devices(direction: str) -> list[Device]:
    """Devices of one direction, ``input`` or ``output``, each name once, by its best host API; default first. Raises
    ``HeadsetError`` where there is no PortAudio.
    """
    library = _library()
    apis = [api["name"] for api in library.query_hostapis()]
    default = _default(library, direction)
    found = [
        Device(i, d["name"], apis[d["hostapi"]], d[f"max_{direction}_channels"], int(d["default_samplerate"]))
        for i, d in enumerate(library.query_devices())
        if d[f"max_{direction}_channels"] > 0
    ]
    found.sort(key=lambda device: (device.index != default, _api_rank(device.host_api)))
    best: dict[str, Device] = {}
    for device in found:
        best.setdefault(device.name, device)
    return list(best.values())


def find(direction: str, name: str) -> Device:
    """The device of that name, or the default for an empty name. Raises ``HeadsetError('no_such_device')``."""
    for device in devices(direction):
        if not name or device.name == name:
            return device
    raise HeadsetError("no_such_device", f"no {direction} device of that name" if name else f"no {direction} device")


def open_stream(
    direction: str, device: Device, prefer: int, callback: Callable[..., None], finished: Callable[[], None]
) -> tuple[Any, Shape]:
    """A raw stream, not started, at ``prefer`` Hz mono if the device can, else at its own rate, else in stereo.

    Blocks are 20 ms; ``finished`` is called on PortAudio's thread whenever the stream stops, asked or not. Raises
    ``HeadsetError``.
    """
    library = _library()
    kind = library.RawInputStream if direction == "input" else library.RawOutputStream
    failure: Exception | None = None
    for shape in _attempts(device, prefer):
        try:
            stream = kind(
                device=device.index,
                samplerate=shape.rate,
                channels=shape.channels,
                blocksize=shape.rate // 50,
                dtype="int16",
                latency="low",
                extra_settings=_settings(library, device),
                callback=callback,
                finished_callback=finished,
            )
        except library.PortAudioError as error:
            failure = error
            continue
        return stream, shape
    raise _explain(direction, failure)


def _library() -> Any:
    """The module, imported late: its import initialises PortAudio. Raises ``HeadsetError`` where it is missing."""
    try:
        import sounddevice
    except OSError as error:
        raise HeadsetError("no_such_device", "PortAudio is not installed") from error
    return sounddevice


def _default(library: Any, direction: str) -> int:
    try:
        return int(library.query_devices(kind=direction)["index"])
    except (library.PortAudioError, ValueError):
        return -1


def _attempts(device: Device, prefer: int) -> list[Shape]:
    shapes = [Shape(prefer, 1), Shape(device.rate, 1)]
    if device.channels >= 2:
        shapes += [Shape(prefer, 2), Shape(device.rate, 2)]
    return list(dict.fromkeys(shapes))


def _settings(library: Any, device: Device) -> Any:
    """WASAPI converts rates itself only when told to."""
    return library.WasapiSettings(auto_convert=True) if device.host_api == "Windows WASAPI" else None


def _api_rank(name: str) -> int:
    return _HOST_API_ORDER.index(name) if name in _HOST_API_ORDER else len(_HOST_API_ORDER)


def _explain(direction: str, failure: Exception | None) -> HeadsetError:
    code = failure.args[1] if failure is not None and len(failure.args) > 1 else 0
    if code == _INVALID_DEVICE:
        return HeadsetError("no_such_device", f"the {direction} device has gone")
    why = "is in use" if code == _DEVICE_UNAVAILABLE else "cannot be opened"
    return HeadsetError("device_busy", f"the {direction} device {why}")
