"""From the configuration to a headset."""

from __future__ import annotations

from pathlib import Path

from telephony.audio.card import CardHeadset, list_devices
from telephony.audio.files import FileHeadset, NullHeadset
from telephony.interfaces import Headset
from telephony.messages import AudioConfig, AudioState


def make_headset(config: AudioConfig) -> tuple[Headset, AudioState]:
    """The headset that ``config`` asks for, not started, and what to tell clients of it.

    ``auto`` is the default sound card when PortAudio knows a microphone and a speaker, else no headset with
    the problem ``no_sound_card``. Missing devices and bad files show at the headset's ``start``. Raises
    ``ValueError`` for an unknown kind. Not the media clock's thread: looking for devices may take some
    hundred milliseconds.
    """
    kind, problem = config.kind, ""
    if kind == "auto":
        found = list_devices()
        kind = "device" if found["microphones"] and found["speakers"] else "null"
        problem = "" if kind == "device" else "no_sound_card"
    headset = _make(kind, config)
    return headset, AudioState(kind=kind, description=headset.describe(), problem=problem)


def problem_of(headset: Headset) -> str:
    """``device_lost`` while a sound card's device is gone, else empty. Cheap; any thread."""
    return headset.problem if isinstance(headset, CardHeadset) else ""


def _make(kind: str, config: AudioConfig) -> Headset:
    if kind == "device":
        return CardHeadset(config.microphone, config.speaker)
    if kind == "files":
        return FileHeadset(_path(config.microphone), _path(config.speaker))
    if kind == "null":
        return NullHeadset()
    raise ValueError(f"unknown kind of headset: {kind!r}")


def _path(text: str) -> Path | None:
    return Path(text) if text else None
