"""Operations: each at most once, each by itself, and a collector's words are never lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.server_api import Seat, call_op, contact_op, iso, new_id, note_op, promise

SignIn = Callable[..., Seat]


def notes_of(seat: Seat, case_id: str) -> list[dict[str, Any]]:
    return list(seat.get(f"/v1/cases/{case_id}").json()["notes"])


def contacts_of(seat: Seat, case_id: str) -> list[dict[str, Any]]:
    return list(seat.get(f"/v1/cases/{case_id}").json()["contacts"])


def test_a_repeat_is_told_and_changes_nothing(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    case_id = seat.case(50)["id"]
    before = len(notes_of(seat, case_id))
    operation = note_op(seat.user_id, case_id)
    assert [seat.operate(operation)[0]["status"] for _ in range(3)] == ["done", "repeated", "repeated"]
    assert seat.operate(operation, operation)[1]["status"] == "repeated"
    assert len(notes_of(seat, case_id)) == before + 1


def test_the_same_id_with_other_content_is_refused(sign_in: SignIn) -> None:
    seat, other = sign_in("liting"), sign_in("guowei")
    operation = note_op(seat.user_id, seat.case(51)["id"])
    seat.operate(operation)
    changed = operation | {"data": operation["data"] | {"text": "别的"}}
    assert seat.operate(changed)[0]["code"] == "id_reused"
    assert other.operate(operation)[0]["code"] == "id_reused"
    same_note = operation | {"id": new_id()}
    assert seat.operate(same_note)[0]["code"] == "id_reused"
    assert [n["text"] for n in notes_of(seat, operation["data"]["case_id"])].count("别的") == 0


def test_many_at_once_with_one_id_do_it_once(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    case_id = seat.case(52)["id"]
    before = len(notes_of(seat, case_id))
    operation = note_op(seat.user_id, case_id)
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(r[0]["status"] for r in pool.map(lambda _: seat.operate(operation), range(6)))
    assert statuses == ["done"] + ["repeated"] * 5
    assert len(notes_of(seat, case_id)) == before + 1


def test_a_refused_one_keeps_nobody_else_back(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    case_id = seat.case(53)["id"]
    good, bad, last = (note_op(seat.user_id, case_id) for _ in range(3))
    bad["data"]["outcome"] = "nonsense"
    results = seat.operate(good, bad, last)
    assert [(r["id"], r["status"]) for r in results] == [
        (good["id"], "done"),
        (bad["id"], "refused"),
        (last["id"], "done"),
    ]
    bad["data"]["outcome"] = "willing"
    assert seat.operate(bad)[0]["status"] == "done"  # a refused one is not remembered


BAD_NOTES: list[dict[str, Any]] = [
    {"text": "字" * 4001},
    {"text": "a\x00b"},
    {"text": None},
    {"case_id": "not-a-uuid"},
    {"created_at": "2026-11-23T10:00:00"},
    {"created_at": "0001-01-01T00:00:00Z"},
    {"outcome": "promise"},
    {"outcome": "willing", "promise": promise()},
    {"outcome": "promise", "promise": promise(amount=0)},
    {"outcome": "promise", "promise": promise(amount=-5)},
    {"outcome": "promise", "promise": promise(days=-9)},
    {"outcome": "promise", "promise": promise(days=4000)},
    {"outcome": "promise", "promise": promise(currency="USD")},
    {"outcome": "promise", "promise": promise(amount=10**30)},
    {"contact_id": "00000000-0000-4000-8000-000000000000"},
]


@pytest.mark.parametrize("wrong", BAD_NOTES, ids=range(len(BAD_NOTES)))
def test_a_wrong_note_is_refused_with_the_field_and_not_the_value(sign_in: SignIn, wrong: dict[str, Any]) -> None:
    seat = sign_in("liting")
    operation = note_op(seat.user_id, seat.case(54)["id"])
    operation["data"] |= wrong
    result = seat.operate(operation)[0]
    assert (result["status"], result["code"]) == ("refused", "bad_request")
    assert result["detail"].startswith("data")
    assert "字字" not in result["detail"]


BAD_CALLS: list[dict[str, Any]] = [
    {"ended_at": "2020-01-01T00:00:00Z"},
    {"answered_at": "2020-01-01T00:00:00Z"},
    {"talk_ms": -1},
    {"talk_ms": 10**18},
    {"cause": "'; DROP TABLE calls"},
    {"direction": "sideways"},
    {"quality": {"x": "y" * 5000}},
    {"quality": []},
    {"sip_code": 10**9},
]


@pytest.mark.parametrize("wrong", BAD_CALLS, ids=range(len(BAD_CALLS)))
def test_a_wrong_call_is_refused(sign_in: SignIn, wrong: dict[str, Any]) -> None:
    seat = sign_in("liting")
    assert seat.operate(call_op(seat.user_id, **wrong))[0]["code"] == "bad_request"


def test_nobody_writes_in_anothers_name(sign_in: SignIn) -> None:
    seat, other = sign_in("liting"), sign_in("guowei")
    case_id = seat.case(55)["id"]
    results = seat.operate(note_op(other.user_id, case_id), call_op(other.user_id, case_id))
    assert [r["code"] for r in results] == ["wrong_author"] * 2


def test_a_case_that_was_never_given_is_closed(sign_in: SignIn) -> None:
    seat, other = sign_in("liting"), sign_in("guowei")
    foreign = other.case(56)["id"]
    contact = contacts_of(other, foreign)[0]["id"]
    results = seat.operate(
        note_op(seat.user_id, foreign),
        call_op(seat.user_id, foreign),
        contact_op(contact, "invalid"),
        note_op(seat.user_id, new_id()),
    )
    assert [r["code"] for r in results] == ["forbidden", "forbidden", "forbidden", "not_found"]


def test_a_lead_may_add_to_the_teams_cases(sign_in: SignIn) -> None:
    lead, collector = sign_in("xujing"), sign_in("liting")
    result = lead.operate(note_op(lead.user_id, collector.case(57)["id"]))[0]
    assert (result["status"], result["code"]) == ("done", "")


def test_words_about_a_case_that_was_moved_meanwhile_are_kept(sign_in: SignIn) -> None:
    lead, writer, taker = sign_in("xujing"), sign_in("guowei"), sign_in("hemin")
    case_id = writer.case(58)["id"]
    late = note_op(writer.user_id, case_id, next_follow_up_at=iso(datetime.now(UTC) + timedelta(days=9)))
    call = call_op(writer.user_id, case_id)
    lead.put(f"/v1/cases/{case_id}/owner", {"owner_id": taker.user_id})
    _, since = taker.sync_all()
    results = writer.operate(late, call)
    assert [(r["status"], r["code"]) for r in results] == [("done", "not_owner")] * 2
    assert writer.operate(late)[0] == {"id": late["id"], "status": "repeated", "code": "not_owner", "detail": ""}
    seen = {c["id"]: c["data"] for c in taker.sync_all(since)[0]}
    assert {late["data"]["id"], call["data"]["id"]} <= seen.keys()
    assert seen[case_id]["next_follow_up_at"] != late["data"]["next_follow_up_at"]
    assert writer.operate(contact_op(contacts_of(taker, case_id)[0]["id"], "invalid"))[0]["code"] == "forbidden"


def test_a_call_from_a_number_that_was_looked_up_may_be_noted(sign_in: SignIn) -> None:
    asker, owner = sign_in("liting"), sign_in("guowei")
    case = owner.case(59)
    number = contacts_of(owner, case["id"])[0]["number"]
    operation = note_op(asker.user_id, case["id"])
    assert asker.operate(operation)[0]["code"] == "forbidden"
    found = asker.get("/v1/lookup", params={"number": number}).json()["matches"]
    match = next(m for m in found if m["case"]["id"] == case["id"])
    assert match["owner"] == {"id": owner.user_id, "name": "郭伟"}
    assert match["contact"]["number"] == number
    assert (asker.operate(operation)[0]["status"], asker.operate(operation)[0]["code"]) == ("done", "not_owner")


def test_lookup_knows_numbers_in_e164_only(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    assert seat.get("/v1/lookup", params={"number": "+8613999999999"}).json() == {"matches": []}
    for number in ("13801386021", "+86 138", "+", "", "' OR 1=1", "+861380138602112345"):
        assert seat.get("/v1/lookup", params={"number": number}).status_code == 400


def test_contact_states_change_and_the_later_edit_wins(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("liting")
    case_id = seat.case(61)["id"]
    contact = contacts_of(seat, case_id)[0]
    now = datetime.now(UTC)
    assert seat.operate(contact_op(contact["id"], "unreached", now - timedelta(minutes=5)))[0]["status"] == "done"
    assert lead.operate(contact_op(contact["id"], "invalid", now - timedelta(minutes=1)))[0]["status"] == "done"
    _, since = seat.sync_all()
    late = seat.operate(contact_op(contact["id"], "valid", now - timedelta(minutes=3)))[0]
    assert (late["status"], late["code"]) == ("refused", "conflict")
    told = [c["data"] for c in seat.sync_all(since)[0] if c["id"] == contact["id"]]
    assert told and told[0]["state"] == "invalid"  # the seat is told the true state again
    ahead = contact_op(contact["id"], "valid", now + timedelta(days=300))
    assert seat.operate(ahead)[0]["status"] == "done"
    assert lead.operate(contact_op(contact["id"], "unreached"))[0]["status"] == "done"  # a wrong clock wins nothing


def test_do_not_call_is_lifted_by_a_lead_only(sign_in: SignIn) -> None:
    lead, seat = sign_in("xujing"), sign_in("liting")
    contact = contacts_of(seat, seat.case(62)["id"])[0]["id"]
    assert seat.operate(contact_op(contact, "do_not_call"))[0]["status"] == "done"
    assert seat.operate(contact_op(contact, "valid"))[0]["code"] == "do_not_call"
    assert lead.operate(contact_op(contact, "valid"))[0]["status"] == "done"


def test_a_batch_has_fifty_at_most_and_one_at_least(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    case_id = seat.case(63)["id"]
    fifty = [note_op(seat.user_id, case_id) for _ in range(50)]
    assert {r["status"] for r in seat.operate(*fifty)} == {"done"}
    for operations in ([], [*fifty, note_op(seat.user_id, case_id)]):
        answer = seat.post("/v1/operations", {"operations": operations})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_the_data_officer_moves_cases_but_does_not_write_to_them(sign_in: SignIn) -> None:
    officer, owner = sign_in("shujv"), sign_in("hemin")
    case_id = owner.case(64)["id"]
    answer = officer.post("/v1/operations", {"operations": [note_op(officer.user_id, case_id)]})
    assert answer.status_code == 403
    moved = officer.put(f"/v1/cases/{case_id}/owner", {"owner_id": owner.user_id})
    assert (moved.status_code, moved.json()["owner_id"]) == (200, owner.user_id)
