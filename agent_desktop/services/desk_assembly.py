"""Putting a desk together: services, workers, and how each hears of the others."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent_desktop.domain.days import Clock
from agent_desktop.domain.models import Note, Role, User
from agent_desktop.services.call_records import CallRecords
from agent_desktop.services.call_tracker import CallTracker
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.context import DeskContext, Policy
from agent_desktop.services.desk import Desk, Shutdown
from agent_desktop.services.errors import DeskError
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_keeper import LineKeeper
from agent_desktop.services.line_port import LinePort, LineSetup, LineStarter
from agent_desktop.services.line_roster import LineRoster
from agent_desktop.services.phone import PhoneService
from agent_desktop.services.record_receipts import RecordReceipts
from agent_desktop.services.recordings import RecordingService
from agent_desktop.services.seat_choices import SeatChoices
from agent_desktop.services.seat_publisher import SeatPublisher
from agent_desktop.services.status import StatusService
from agent_desktop.services.wallboard import WallboardService
from agent_desktop.services.wrap_up import WrapUpService
from agent_desktop.store.keys import SeatKeys
from agent_desktop.store.store import Store
from agent_desktop.sync.http import CollectionApi, SessionInfo
from agent_desktop.sync.outbox import OutboxSender
from agent_desktop.sync.pull import Puller
from agent_desktop.sync.push import PushChannel, PushHandlers
from agent_desktop.sync.worker import SyncState, SyncWorker
from recorder.spool import Spool
from recorder.uploader import UploadApi, Uploader, UploadStatus
from telephony.messages import Event, LinePolicy, RecordingState, SetPolicy

if TYPE_CHECKING:
    from agent_desktop.services.sign_in import SeatSettings

log = logging.getLogger(__name__)

WITH_LINE = (Role.COLLECTOR, Role.LEAD)
WITH_OUTBOX = (Role.COLLECTOR, Role.LEAD)


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What signing in has made."""

    settings: SeatSettings
    seat: SeatKeys
    api: CollectionApi
    session: SessionInfo
    store: Store
    line_starter: LineStarter | None
    clock: Clock


def assemble(parts: DeskParts) -> Desk:
    """Build every service, start every worker, return at once. Raises ``DeskError`` only for a spool it cannot make."""
    return _Assembly(parts).run()


class _Assembly:
    """Holds the parts of one desk while and after it is put together; ``Desk`` is all that others see of it."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._api = parts.api
        self._receipt_key = parts.session.receipt_key
        user = parts.session.user
        self._context = DeskContext(
            user=user,
            store=parts.store,
            api=parts.api,
            wake=self._wake,
            clock=parts.clock,
            zone=_zone(parts.session.policy),
            policy=Policy.from_json(parts.session.policy),
            lines=LineRoster(parts.settings.lines if self._has_lines(user) else (), parts.settings.region),
        )
        lines = self._context.lines
        self._choices = SeatChoices(parts.settings.data_dir / "devices.json")
        self._commands = commands = LineCommands()
        self._status = StatusService()
        self._cases = CaseService(self._context)
        self._receipts = RecordReceipts(commands)
        records = CallRecords(self._context, self._receipts.kept)
        self._tracker = CallTracker(self._context, self._cases, records)
        self._calls = CallService(self._context, self._tracker, commands)
        self._phone = PhoneService(lines, commands, self._choices)
        self._wrap_up = WrapUpService(self._context, self._on_saved)
        self._wallboard = WallboardService(self._context)
        outbox = parts.store.outbox
        self._sender = OutboxSender(outbox, parts.api) if user.role in WITH_OUTBOX else None
        puller = Puller(parts.store.changes, parts.api, self._cases.changed.emit)
        self._worker = SyncWorker(self._sender, puller, outbox, self._on_sync, clock=parts.clock)
        self._push = PushChannel(parts.api.base_url, parts.api.token, parts.api.verify, self._push_handlers())
        self._publisher = SeatPublisher(parts.seat.seat_id, parts.api, self._push, self._calls, self._status)
        self._spool = Spool(parts.settings.data_dir / "spool")
        self._upload_api = UploadApi(parts.api.base_url, parts.api.token, parts.api.verify)
        self._uploader = Uploader(
            self._spool,
            self._upload_api,
            self._on_upload,
            receipt_key=lambda: self._receipt_key,
            bytes_per_second=self._context.policy.upload_bytes_per_second,
            order="newest" if self._context.policy.newest_first else "oldest",
        )
        self._keeper = self._line_keeper()

    def run(self) -> Desk:
        self._spool.prepare()
        threading.Thread(target=self._warm_up, name="numbers", daemon=True).start()
        self._worker.start()
        self._push.start()
        self._uploader.start()
        self._publisher.start()
        if self._context.user.role is Role.LEAD:
            self._wallboard.start()
        if self._keeper is not None:
            self._keeper.start()
        return Desk(
            user=self._context.user,
            cases=self._cases,
            calls=self._calls,
            wrap_up=self._wrap_up,
            status=self._status,
            recordings=RecordingService(self._context),
            wallboard=self._wallboard,
            phone=self._phone,
            shutdown=self._stages(),
            renew=self._renew,
        )

    def _line_keeper(self) -> LineKeeper | None:
        parts = self._parts
        settings = parts.settings
        lines = self._context.lines
        lines.changed.join(self._status.on_lines)
        self._status.on_lines(lines.views)
        if parts.line_starter is None or not lines.views:
            return None
        setup = LineSetup(
            seat_id=parts.seat.seat_id,
            signing_key=parts.seat.signing_seed,
            store_key=parts.session.store_key,
            grant_key=parts.session.grant_key,
            spool=settings.data_dir / "spool",
            records=settings.data_dir / "calls.journal",
            log_file=settings.data_dir / "logs" / "line.log",
            lines=tuple(line.config for line in settings.lines),
            audio=self._choices.audio or settings.audio,
            local_host=settings.local_host,
            local_port=settings.local_port,
            tls_ca_file=settings.tls_ca_file,
            agent_id=self._context.user.id,
            policy=LinePolicy(idle_exit_s=float(self._context.policy.line_idle_exit_seconds)),
            recording_policy=parts.session.recording_policy,
        )
        return LineKeeper(parts.line_starter, setup, self._on_line, self._on_line_lost)

    def _warm_up(self) -> None:
        self._context.numbers.warm_up()
        self._context.places.warm_up()

    def _has_lines(self, user: User) -> bool:
        return self._parts.line_starter is not None and user.role in WITH_LINE

    def _stages(self) -> Shutdown:
        """First what makes new work, then what carries it away, last what it is kept in."""
        stages = Shutdown()
        if self._keeper is not None:
            stages.add("line", self._keeper.stop)
        stages.add("calls", self._tracker.close)
        stages.add("receipts", self._receipts.close)
        stages.add("wallboard", self._wallboard.close)
        stages.add("seat state", self._publisher.stop)
        stages.add("uploads", self._uploader.stop)
        stages.add("push", self._push.stop)
        stages.add("sync", self._worker.stop)
        stages.add("last operations", self._send_last)
        stages.add("session", self._api.sign_out)
        stages.add("connections", self._api.close)
        stages.add("store", self._parts.store.close)
        return stages

    def _send_last(self) -> None:
        """What was done since the last cycle; without the server it stays in the outbox for the next sign-in."""
        if self._sender is None or not self._worker.state.online:
            return
        try:
            self._sender.send_all()
        except DeskError as error:
            log.info("operations left for the next sign-in: %s", error)

    def _renew(self, password: str) -> None:
        seat = self._parts.seat
        session = self._api.sign_in(self._context.user.login, password, seat.seat_id, seat.public_key)
        self._receipt_key = session.receipt_key
        self._follow(session)
        self._status.on_signed_in()
        self._wake()
        self._push.retry()
        self._uploader.wake()

    def _follow(self, session: SessionInfo) -> None:
        """Hand the line process the policy that came with a new session; without one it comes with its start."""
        policy = LinePolicy(idle_exit_s=float(Policy.from_json(session.policy).line_idle_exit_seconds))
        try:
            self._commands.request(SetPolicy, policy=policy, recording=session.recording_policy)
        except DeskError as error:
            log.info("the line process was not told the new policy: %s", error)

    def _wake(self) -> None:
        self._worker.wake()

    def _on_line(self, line: LinePort) -> None:
        line.events.join(self._on_line_event)
        line.lost.join(self._on_line_lost)
        self._wallboard.use_line(line)
        try:
            snapshot = self._calls.use_line(line)
        except DeskError as error:
            log.warning("line process not asked: %s", error)
        else:
            self._on_line_event(snapshot)

    def _on_line_lost(self, reason: str) -> None:
        self._context.lines.on_lost(reason)
        self._phone.on_lost(reason)
        self._status.on_line_lost(reason)

    def _on_line_event(self, event: Event) -> None:
        self._context.lines.on_event(event)
        self._phone.on_event(event)
        self._status.on_line_event(event)
        if isinstance(event, RecordingState) and event.state in ("sealed", "recovered"):
            self._uploader.wake()

    def _on_saved(self, note: Note) -> None:
        self._cases.changed.emit(frozenset({note.case_id}))
        if self._status.agent_state == "wrap_up" and self._calls.current is None:
            self._status.set_agent_state("ready")

    def _on_sync(self, state: SyncState) -> None:
        was_online = self._status.now.online
        self._status.on_sync(state)
        if state.online and not was_online:
            self._push.retry()
            self._uploader.wake()
            self._publisher.again()

    def _on_upload(self, state: UploadStatus) -> None:
        self._status.on_uploads(state)

    def _push_handlers(self) -> PushHandlers:
        return PushHandlers(
            ready=self._on_push_ready,
            hint=self._wake,
            seat=self._wallboard.on_seat,
            signed_out=self._status.on_signed_out,
            lost=self._wake,
        )

    def _on_push_ready(self) -> None:
        self._wake()
        self._publisher.again()
        self._wallboard.on_push_ready()


def _zone(policy: dict[str, object]) -> ZoneInfo | None:
    """The agency's zone, by which the working day is counted; None (this machine's) when it is not known here."""
    try:
        return ZoneInfo(str(policy["timezone"]))
    except (KeyError, ValueError, OSError):
        return None
