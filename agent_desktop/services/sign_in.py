"""Signing in: a session with the server, the person's own store, and the desk that works on both."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent_desktop.domain.days import Clock, utc_now
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.line_roster import SeatLine as SeatLine
from agent_desktop.store.enrolment import Enrolment, keep_enrolment
from agent_desktop.store.keys import KeptKeys as KeptKeys
from agent_desktop.store.keys import KeyringAway as KeyringAway
from agent_desktop.store.keys import SeatKeys, StoreKeys
from agent_desktop.store.keys import ThrowAwayKeys as ThrowAwayKeys
from agent_desktop.store.keys import WrongPassphrase as WrongPassphrase
from telephony.messages import AudioConfig

if TYPE_CHECKING:
    from agent_desktop.services.desk import Desk
    from agent_desktop.services.line_port import LineStarter
    from agent_desktop.store.store import Store
    from agent_desktop.sync.http import CollectionApi, SessionInfo

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeatSettings:
    """What a seat is set up with. No ``lines``: a seat without a phone."""

    server_url: str
    data_dir: Path
    ca_file: str = ""
    lines: tuple[SeatLine, ...] = ()
    """In the order of preference for dialling."""
    audio: AudioConfig = field(default_factory=AudioConfig)
    local_host: str = ""
    local_port: int = 0
    tls_ca_file: str = ""
    """PEM file of the authorities that a TLS line trusts."""
    region: str = "CN"
    """Country whose numbers are dialled in national form."""


class SignIn:
    """Makes desks. ``line_starter`` is None where no line process is to be started."""

    def __init__(
        self,
        settings: SeatSettings,
        keys: StoreKeys,
        line_starter: LineStarter | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._line_starter = line_starter
        self._clock = clock

    def sign_in(self, login: str, password: str, passphrase: str = "", rebuild_store: bool = False) -> Desk:
        """Open a session and the person's store; returns before the first synchronisation.

        ``passphrase`` is empty until ``KeyringAway`` asked for it. ``rebuild_store``: a store that cannot be read is
        put aside and filled from the server again, keeping what can be saved of the outbox. Raises ``DeskError``. Some
        hundred milliseconds: not for the Qt main thread.
        """
        from agent_desktop.services.desk_assembly import DeskParts, assemble
        from agent_desktop.sync.http import CollectionApi

        settings = self._settings
        seat = self._keys.load(passphrase or None)
        api = CollectionApi(settings.server_url, settings.ca_file or True)
        try:
            session = api.sign_in(login, password, seat.seat_id, seat.public_key)
            self._keep_enrolment(seat, session)
            store = self._open_store(session.user.id, seat, rebuild_store)
        except BaseException:
            _leave(api)
            raise
        try:
            return assemble(
                DeskParts(
                    settings=settings,
                    seat=seat,
                    api=api,
                    session=session,
                    store=store,
                    line_starter=self._line_starter,
                    clock=self._clock,
                )
            )
        except BaseException:
            store.close()
            _leave(api)
            raise

    def _keep_enrolment(self, seat: SeatKeys, session: SessionInfo) -> None:
        """For a softphone without a window, which never signs in."""
        try:
            keep_enrolment(self._settings.data_dir, seat, Enrolment(session.store_key, session.grant_key))
        except OSError as error:
            log.warning("the server's keys were not kept: %s", type(error).__name__)

    def _open_store(self, user_id: str, seat: SeatKeys, rebuild: bool) -> Store:
        """One file a person: who signs in next at this seat does not see the last one's cases."""
        from agent_desktop.store.store import Store, rebuild_damaged

        try:
            name = f"desk-{uuid.UUID(user_id)}.db"
        except ValueError:
            raise DeskError(Problem.SERVER_ERROR, "user id is no UUID") from None
        path = self._settings.data_dir / name
        try:
            return Store(path, seat.store_key)
        except DeskError as error:
            if error.problem is not Problem.STORE_DAMAGED or not rebuild:
                raise
        store, saved = rebuild_damaged(path, seat.store_key)
        log.warning("store rebuilt; operations saved: %d", saved)
        return store


def _leave(api: CollectionApi) -> None:
    try:
        api.sign_out()
    except DeskError as error:
        log.info("not signed out: %s", error)
    finally:
        api.close()
