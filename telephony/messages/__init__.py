"""The line protocol: every command, reply and event between a client and the line process.

Frozen dataclasses; JSON objects on the wire, told apart by ``type``. ``docs/guides/line-protocol.md`` shows each with
an example. Call ids are UUIDs: the client makes them for calls it dials, the engine for calls that come in.
"""

from telephony.messages.base import PROTOCOL_VERSION as PROTOCOL_VERSION
from telephony.messages.base import Command as Command
from telephony.messages.base import Event as Event
from telephony.messages.base import Message as Message
from telephony.messages.call_commands import Answer as Answer
from telephony.messages.call_commands import Dial as Dial
from telephony.messages.call_commands import HangUp as HangUp
from telephony.messages.call_commands import LeaveConference as LeaveConference
from telephony.messages.call_commands import Monitor as Monitor
from telephony.messages.call_commands import PauseRecording as PauseRecording
from telephony.messages.call_commands import Redial as Redial
from telephony.messages.call_commands import Reject as Reject
from telephony.messages.call_commands import ResumeRecording as ResumeRecording
from telephony.messages.call_commands import SendDtmf as SendDtmf
from telephony.messages.call_commands import SetConference as SetConference
from telephony.messages.call_commands import SetHold as SetHold
from telephony.messages.call_commands import SetMute as SetMute
from telephony.messages.call_commands import StartRecording as StartRecording
from telephony.messages.call_commands import StopRecording as StopRecording
from telephony.messages.call_commands import SwitchTo as SwitchTo
from telephony.messages.call_commands import Transfer as Transfer
from telephony.messages.call_commands import TransferToCall as TransferToCall
from telephony.messages.call_events import CallAlarm as CallAlarm
from telephony.messages.call_events import CallEnded as CallEnded
from telephony.messages.call_events import CallIncoming as CallIncoming
from telephony.messages.call_events import CallQuality as CallQuality
from telephony.messages.call_events import CallState as CallState
from telephony.messages.call_events import DtmfReceived as DtmfReceived
from telephony.messages.call_events import Levels as Levels
from telephony.messages.call_events import MonitorState as MonitorState
from telephony.messages.call_events import RecordingState as RecordingState
from telephony.messages.call_events import TransferState as TransferState
from telephony.messages.commands import AckCalls as AckCalls
from telephony.messages.commands import AddLine as AddLine
from telephony.messages.commands import GetSnapshot as GetSnapshot
from telephony.messages.commands import Hello as Hello
from telephony.messages.commands import ListDevices as ListDevices
from telephony.messages.commands import RefreshLines as RefreshLines
from telephony.messages.commands import RemoveLine as RemoveLine
from telephony.messages.commands import SetAnswering as SetAnswering
from telephony.messages.commands import SetAudio as SetAudio
from telephony.messages.commands import SetPolicy as SetPolicy
from telephony.messages.commands import Shutdown as Shutdown
from telephony.messages.commands import TestAudio as TestAudio
from telephony.messages.config import AudioConfig as AudioConfig
from telephony.messages.config import LineConfig as LineConfig
from telephony.messages.config import LinePolicy as LinePolicy
from telephony.messages.events import AnsweringState as AnsweringState
from telephony.messages.events import AudioState as AudioState
from telephony.messages.events import LineState as LineState
from telephony.messages.events import RecorderHealth as RecorderHealth
from telephony.messages.events import Snapshot as Snapshot
from telephony.messages.events import Stopped as Stopped
from telephony.messages.from_json import MessageError as MessageError
from telephony.messages.replies import Error as Error
from telephony.messages.replies import Ok as Ok
from telephony.messages.wire import decode as decode
from telephony.messages.wire import encode as encode
from telephony.messages.wire import message_types as message_types
