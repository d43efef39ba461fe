"""Commands about lines, sound and the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from telephony.messages.base import PROTOCOL_VERSION, Command
from telephony.messages.config import AudioConfig, LineConfig, LinePolicy


@dataclass(frozen=True, slots=True)
class Hello(Command):
    """First command of a client. The reply's result holds ``version`` and ``pid``."""

    type: ClassVar[str] = "hello"
    version: int = PROTOCOL_VERSION
    agent_id: str = ""
    """Who sits here: stands in the records of the calls that follow. Empty leaves it as it was."""


@dataclass(frozen=True, slots=True)
class AddLine(Command):
    """Set up a line, or replace the one of the same id when it has no call."""

    type: ClassVar[str] = "add_line"
    line: LineConfig


@dataclass(frozen=True, slots=True)
class RemoveLine(Command):
    """Unregister and forget a line."""

    type: ClassVar[str] = "remove_line"
    line_id: str


@dataclass(frozen=True, slots=True)
class RefreshLines(Command):
    """The network changed or the machine woke up: rebind and register every line again; calls that are up go on."""

    type: ClassVar[str] = "refresh_lines"


@dataclass(frozen=True, slots=True)
class SetAudio(Command):
    """Change the headset; refused with ``no_such_device`` and the old one kept when it cannot be opened."""

    type: ClassVar[str] = "set_audio"
    audio: AudioConfig


@dataclass(frozen=True, slots=True)
class ListDevices(Command):
    """The reply's result holds ``microphones``, ``speakers`` and ``ringers``, each a list of names."""

    type: ClassVar[str] = "list_devices"


@dataclass(frozen=True, slots=True)
class TestAudio(Command):
    """Try the devices while no call is up; ends by itself after 10 s, and when a call begins.

    ``test``: ``tone`` (speaker), ``ring`` (ringing device), ``loopback`` (microphone to speaker, 0.5 s later) or
    ``off``. Levels of the microphone come as ``levels`` with an empty call id while it lasts. Refused with
    ``wrong_state`` in a call.
    """

    __test__: ClassVar[bool] = False
    type: ClassVar[str] = "test_audio"
    test: str


@dataclass(frozen=True, slots=True)
class SetAnswering(Command):
    """Do-not-disturb (a call that comes in is answered 480 and recorded as missed) and auto-answer with a tone."""

    type: ClassVar[str] = "set_answering"
    do_not_disturb: bool = False
    auto_answer: bool = False
    auto_answer_ms: int = 0
    """How long a call rings before it is answered by itself, in milliseconds."""


@dataclass(frozen=True, slots=True)
class SetPolicy(Command):
    """What the server's policy says."""

    type: ClassVar[str] = "set_policy"
    policy: LinePolicy
    recording: str = ""
    """The recording policy as the server signed it for this seat; empty for no news. One that is not genuine, or older
    than the one that holds, is left aside."""


@dataclass(frozen=True, slots=True)
class AckCalls(Command):
    """The client has these calls' records in its own store: the line process may forget them."""

    type: ClassVar[str] = "ack_calls"
    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GetSnapshot(Command):
    """The reply's result is a ``Snapshot`` as JSON; also sent as an event to every client right after hello."""

    type: ClassVar[str] = "get_snapshot"


@dataclass(frozen=True, slots=True)
class Shutdown(Command):
    """Hang up, finish recordings, end the process."""

    type: ClassVar[str] = "shutdown"
