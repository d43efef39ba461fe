"""Seat states, the wallboard's figures, and grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collection_server.auth.permissions import Role
from collection_server.auth.principal import Principal
from collection_server.auth.tables import User
from collection_server.calls.tables import Call
from collection_server.cases.tables import Case
from collection_server.db import pending
from collection_server.monitoring.schemas import SeatRow, SeatStateIn
from collection_server.monitoring.tables import SeatState
from collection_server.notes.tables import Note
from collection_server.problems import Problem, forbidden
from collection_server.sync.broadcast import notify

_PENDING = "seats"
WITHOUT_SEAT = "user:"
"""Before the account's id, in the place of a seat's id: a collector who has no seat."""


@dataclass(frozen=True, slots=True)
class Figures:
    cases_handled: int = 0
    talk_seconds: int = 0
    promises: int = 0


def start_of_today(now: datetime, zone: tzinfo | None) -> datetime:
    midnight = datetime.combine(now.astimezone(zone).date(), time.min)
    return (midnight.replace(tzinfo=zone) if zone else midnight.astimezone()).astimezone(UTC)


def set_state(session: Session, who: Principal, body: SeatStateIn, now: datetime) -> None:
    """Keep what the caller's own seat says of itself, and have the team's leads told."""
    call_id = body.call.id if body.call else None
    row = session.get(SeatState, who.seat_id, with_for_update=True)
    if row is None:
        row = SeatState(seat_id=who.seat_id, state="", since=now, call_id=None)
        session.add(row)
    if (row.state, row.call_id, row.agent_id) != (body.state, call_id, who.user_id):
        row.since = now
    row.agent_id = who.user_id
    row.state = body.state
    row.call_id = call_id
    row.case_id = (body.call.case_id or None) if body.call else None
    row.line_state, row.line_uri = body.line_state, body.line_uri
    row.recording, row.recording_problem = body.recording, body.recording_problem
    row.updated_at = now
    seat_changed(session, who.seat_id)


def set_offline(session: Session, seat_id: str, now: datetime) -> None:
    """The seat is gone; what it last said of a call is no longer true."""
    row = session.get(SeatState, seat_id, with_for_update=True)
    if row is None or row.state == "offline":
        return
    row.state, row.since, row.updated_at = "offline", now, now
    row.call_id = row.case_id = None
    row.line_state, row.line_uri, row.recording, row.recording_problem = "", "", False, ""
    seat_changed(session, seat_id)


def sign_off(session: Session, who: Principal, now: datetime) -> None:
    """The user has signed out: the seat is offline unless somebody else sits there by now."""
    row = session.get(SeatState, who.seat_id)
    if row is not None and row.agent_id == who.user_id:
        set_offline(session, who.seat_id, now)


def seats_not_offline(session: Session) -> list[str]:
    return list(session.scalars(select(SeatState.seat_id).where(SeatState.state != "offline")))


def seat_changed(session: Session, seat_id: str) -> None:
    """Have the leads told about a seat with this unit of work."""
    pending(session, _PENDING).append(seat_id)


def figures_changed(session: Session, user_id: str) -> None:
    """Have the leads told about the seats of an agent whose figures of today may be others now."""
    for seat_id in session.scalars(select(SeatState.seat_id).where(SeatState.agent_id == user_id)):
        seat_changed(session, seat_id)


def tell_leads(session: Session, now: datetime, zone: tzinfo | None) -> None:
    """Close of a unit of work: prepare the rows of seats that changed, to be published after the commit."""
    seat_ids: list[str] = pending(session, _PENDING)
    if not seat_ids:
        return
    session.flush()
    query = select(SeatState).where(SeatState.seat_id.in_(set(seat_ids)))
    for row in _rows(session, session.scalars(query).all(), now, zone):
        notify(session, f"team:{row.team}", {"type": "seat", **row.model_dump(mode="json")})
    seat_ids.clear()


def wallboard(session: Session, team: str, now: datetime, zone: tzinfo | None) -> list[SeatRow]:
    """The team: seats in a call first, offline last, then by name. Collectors without a seat are among the offline."""
    query = select(SeatState).join(User, User.id == SeatState.agent_id).where(User.team == team)
    states = _without_left(session.scalars(query).all())
    rows = _rows(session, [*states, *_absent(session, team, states, now, zone)], now, zone)
    return sorted(rows, key=lambda row: (row.state != "on_call", row.state == "offline", row.agent_name, row.seat_id))


def _without_left(states: Sequence[SeatState]) -> list[SeatState]:
    """Without the seats that their agents have left for another: of those offline, only the last, and only when
    the agent is nowhere else.
    """
    there = [state for state in states if state.state != "offline"]
    seated = {state.agent_id for state in there}
    away = sorted((s for s in states if s.agent_id not in seated), key=lambda s: s.since)
    return there + list({state.agent_id: state for state in away}.values())


def _absent(
    session: Session, team: str, states: Sequence[SeatState], now: datetime, zone: tzinfo | None
) -> list[SeatState]:
    """States, not to be kept, of the team's collectors who have none: never signed in, or another sits there now."""
    query = select(User.id).where(User.team == team, User.role == Role.COLLECTOR, User.disabled_at.is_(None))
    missing = set(session.scalars(query)) - {state.agent_id for state in states}
    since = start_of_today(now, zone)
    return [_nowhere(user_id, since) for user_id in missing]


def _nowhere(user_id: str, since: datetime) -> SeatState:
    return SeatState(
        seat_id=f"{WITHOUT_SEAT}{user_id}",
        agent_id=user_id,
        state="offline",
        since=since,
        line_state="",
        line_uri="",
        recording=False,
        recording_problem="",
    )


def _rows(session: Session, states: Sequence[SeatState], now: datetime, zone: tzinfo | None) -> list[SeatRow]:
    agents = {state.agent_id for state in states}
    users = {u.id: u for u in session.scalars(select(User).where(User.id.in_(agents)))}
    case_ids = {state.case_id for state in states if state.case_id}
    cases = {c.id: c for c in session.scalars(select(Case).where(Case.id.in_(case_ids)))} if case_ids else {}
    figures = figures_of(session, agents, start_of_today(now, zone))
    return [_row(s, users[s.agent_id], cases.get(s.case_id or ""), figures[s.agent_id]) for s in states]


def _row(state: SeatState, agent: User, case: Case | None, figures: Figures) -> SeatRow:
    about_case: dict[str, Any] = {"case_number": "", "debtor_name": "", "client": "", "stage": ""}
    if case is not None:
        about_case = {
            "case_number": case.number,
            "debtor_name": case.debtor_name,
            "client": case.client,
            "stage": case.stage,
        }
    return SeatRow(
        seat_id=state.seat_id,
        agent_id=agent.id,
        agent_name=agent.name,
        team=agent.team,
        state=state.state,  # type: ignore[arg-type]  # checked by the schema
        since=state.since,
        call_id=state.call_id or "",
        line_state=state.line_state,
        recording=state.recording,
        recording_problem=state.recording_problem,
        cases_handled=figures.cases_handled,
        talk_seconds=figures.talk_seconds,
        promises=figures.promises,
        **about_case,
    )


def figures_of(session: Session, agents: set[str], since: datetime) -> dict[str, Figures]:
    """Cases noted, seconds talked and promises taken since then, for each agent."""
    noted = (
        select(Note.author_id, func.count(Note.case_id.distinct()), func.count().filter(Note.outcome == "promise"))
        .where(Note.author_id.in_(agents), Note.created_at >= since)
        .group_by(Note.author_id)
    )
    talked = (
        select(Call.agent_id, func.sum(Call.talk_ms))
        .where(Call.agent_id.in_(agents), Call.started_at >= since)
        .group_by(Call.agent_id)
    )
    talk = {agent: int(ms) // 1000 for agent, ms in session.execute(talked)}
    notes = {agent: (handled, promises) for agent, handled, promises in session.execute(noted)}
    return {
        agent: Figures(notes.get(agent, (0, 0))[0], talk.get(agent, 0), notes.get(agent, (0, 0))[1]) for agent in agents
    }


def seat_to_monitor(session: Session, who: Principal, seat_id: str) -> SeatState:
    """The seat that a lead may listen to. Raises 403 (another team, or no such seat) or 409 ``seat_offline``."""
    row = session.get(SeatState, seat_id)
    agent_id = row.agent_id if row is not None else _user_id(seat_id)
    agent = session.get(User, agent_id) if agent_id else None
    if agent is None or agent.team != who.team:
        raise forbidden()
    if row is None or row.state == "offline" or not row.line_uri:
        raise Problem(409, "seat_offline", "The seat has no line that can be called now.")
    return row


def _user_id(seat_id: str) -> str:
    """Whose place it is; empty for a seat."""
    return seat_id.removeprefix(WITHOUT_SEAT) if seat_id.startswith(WITHOUT_SEAT) else ""
