"""What a seat may hold, in which order it comes, and what happens when a case is moved."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.server import RunningServer
from tests.support.server_api import Seat, call_op, note_op, promise

SignIn = Callable[..., Seat]


def held(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a client that follows the rules ends up with: objects by id."""
    kept: dict[str, dict[str, Any]] = {}
    for change in changes:
        if change["op"] == "delete":
            case_id = change["id"]
            kept = {i: o for i, o in kept.items() if i != case_id and o.get("case_id") != case_id}
        else:
            kept[change["id"]] = change["data"] | {"kind": change["kind"]}
    return kept


def test_a_collector_holds_own_cases_and_what_belongs_to_them(sign_in: SignIn) -> None:
    seat = sign_in("guowei")
    changes, _ = seat.sync_all()
    kept = held(changes)
    cases = {i: o for i, o in kept.items() if o["kind"] == "case"}
    assert {o["owner_id"] for o in cases.values()} == {seat.user_id}
    assert set(cases) == {case["id"] for case in seat.cases()}
    assert {o["kind"] for o in kept.values()} == {"case", "contact", "note", "call"}
    assert all(o["case_id"] in cases for o in kept.values() if o["kind"] in ("contact", "note"))


def test_numbers_rise_and_a_case_comes_before_what_belongs_to_it(sign_in: SignIn) -> None:
    changes, _ = sign_in("hemin").sync_all(limit=70)
    numbers = [change["seq"] for change in changes]
    assert numbers == sorted(set(numbers))
    seen: set[str] = set()
    for change in changes:
        if change["kind"] == "case" and change["op"] == "upsert":
            seen.add(change["id"])
        elif change["op"] == "upsert" and change["data"]["case_id"]:
            assert change["data"]["case_id"] in seen


def test_pages_add_up_to_the_whole(sign_in: SignIn) -> None:
    seat = sign_in("hemin")
    whole, end = seat.sync_all()
    first = seat.sync(0, 50)
    assert first["more"] and len(first["changes"]) <= 50 < len(whole)
    paged, paged_end = seat.sync_all(limit=50)
    assert paged_end >= end
    assert held(paged).keys() >= held(whole).keys()


def test_asking_again_from_next_gives_only_what_is_new(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    _, since = seat.sync_all()
    case = seat.case(20)
    operation = note_op(seat.user_id, case["id"], outcome="promise", promise=promise())
    assert seat.operate(operation)[0]["status"] == "done"
    changes, _ = seat.sync_all(since)
    mine = {(c["kind"], c["id"]): c["data"] for c in changes}
    note = mine["note", operation["data"]["id"]]
    assert note["author_name"] == "李婷"
    assert note["promise"] == operation["data"]["promise"]
    assert note["created_at"] == operation["data"]["created_at"]
    assert mine["case", case["id"]]["last_contact_at"] == operation["data"]["created_at"]
    sent = {k: v for k, v in operation["data"].items() if k != "promise"}
    assert {k: note[k] for k in sent} == sent


def test_a_call_comes_back_as_it_was_sent(sign_in: SignIn) -> None:
    seat = sign_in("liting")
    _, since = seat.sync_all()
    operation = call_op(seat.user_id, seat.case(21)["id"])
    alone = call_op(seat.user_id, "", direction="inbound", number="anonymous")
    seat.operate(operation, alone)
    calls = {c["id"]: c["data"] for c in seat.sync_all(since)[0] if c["kind"] == "call"}
    assert calls[operation["data"]["id"]] == operation["data"]
    assert calls[alone["data"]["id"]] == alone["data"]


def test_nobody_sees_another_collectors_changes(sign_in: SignIn) -> None:
    writer, other = sign_in("liting"), sign_in("guowei")
    _, since = other.sync_all()
    operation = note_op(writer.user_id, writer.case(22)["id"])
    writer.operate(operation)
    page = other.sync(since)
    assert operation["data"]["id"] not in {c["id"] for c in page["changes"]}
    assert page["next"] > since


def test_leads_and_qa_hold_no_cases(sign_in: SignIn) -> None:
    for login in ("xujing", "chenyu", "admin"):
        assert sign_in(login).sync()["changes"] == []


def test_a_moved_case_leaves_one_seat_and_arrives_whole_at_the_other(sign_in: SignIn) -> None:
    lead, giver, taker = sign_in("xujing"), sign_in("guowei"), sign_in("hemin")
    case = giver.case(30)
    giver.operate(note_op(giver.user_id, case["id"]))
    whole = giver.get(f"/v1/cases/{case['id']}").json()
    _, giver_since = giver.sync_all()
    _, taker_since = taker.sync_all()
    assert lead.put(f"/v1/cases/{case['id']}/owner", {"owner_id": taker.user_id}).status_code == 200
    gone = giver.sync(giver_since)["changes"]
    assert [(c["kind"], c["id"], c["op"], c["data"]) for c in gone] == [("case", case["id"], "delete", None)]
    arrived = taker.sync(taker_since)["changes"]
    assert (arrived[0]["kind"], arrived[0]["id"]) == ("case", case["id"])
    for kind in ("contact", "note", "call"):
        assert {c["id"] for c in arrived if c["kind"] == kind} == {o["id"] for o in whole[f"{kind}s"]}
    assert giver.get(f"/v1/cases/{case['id']}").status_code == 404
    # A seat that begins anew does not get it either; and it can come back.
    anew = [c["data"] for c in giver.sync_all()[0] if c["op"] == "upsert"]
    assert case["id"] not in {data["id"] for data in anew} | {data.get("case_id") for data in anew}
    assert lead.put(f"/v1/cases/{case['id']}/owner", {"owner_id": giver.user_id}).status_code == 200
    again = held(giver.sync_all()[0])
    assert {o["id"] for kind in ("contacts", "notes", "calls") for o in whole[kind]} | {case["id"]} <= again.keys()
    assert case["id"] not in held(taker.sync_all()[0])


def test_a_case_goes_to_collectors_of_the_team_only(sign_in: SignIn) -> None:
    lead, collector = sign_in("xujing"), sign_in("liting")
    path = f"/v1/cases/{collector.case(23)['id']}/owner"
    assert lead.put(path, {"owner_id": sign_in("chenyu").user_id}).status_code == 403
    assert lead.put(path, {"owner_id": lead.user_id}).json()["code"] == "conflict"
    assert lead.put(path, {"owner_id": "00000000-0000-4000-8000-000000000000"}).status_code == 404


def test_a_number_ahead_of_the_server_is_told_to_start_again(sign_in: SignIn) -> None:
    answer = sign_in("liting").get("/v1/sync", params={"since": 10**9})
    assert (answer.status_code, answer.json()["code"]) == (409, "sync_ahead")


def test_numbers_have_no_gaps_when_many_write_at_once(server: RunningServer, sign_in: SignIn) -> None:
    seats = [sign_in(login) for login in ("liting", "guowei", "hemin")]
    targets = [(seat, seat.case(40 + n)["id"]) for n in range(4) for seat in seats]

    def write(target: tuple[Seat, str]) -> None:
        seat, case_id = target
        refused = note_op(seat.user_id, case_id, text="x" * 5000)
        results = seat.operate(note_op(seat.user_id, case_id), refused, note_op(seat.user_id, case_id))
        assert [r["status"] for r in results] == ["done", "refused", "done"]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, targets * 2))
    with sqlite3.connect(f"file:{server.data_dir}/collection.db?mode=ro", uri=True) as database:
        numbers = [row[0] for row in database.execute("SELECT seq FROM changes ORDER BY seq")]
        counter = database.execute("SELECT value FROM change_counter").fetchone()[0]
    database.close()
    assert numbers == list(range(1, len(numbers) + 1))
    assert counter == len(numbers)
