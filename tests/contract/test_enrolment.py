"""What a seat keeps of its first sign-in, so that a softphone can record without the server."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.sign_in import SeatSettings, SignIn, ThrowAwayKeys
from agent_desktop.store.enrolment import FILE, Enrolment, is_enrolled, keep_enrolment, read_enrolment
from agent_desktop.store.keys import SeatKeys
from tests.support.server import DEMO_PASSWORD, RunningServer


def test_signing_in_keeps_the_servers_keys(server: RunningServer, tmp_path: Path) -> None:
    keys = ThrowAwayKeys()
    assert not is_enrolled(tmp_path)
    SignIn(SeatSettings(server.url, tmp_path), keys).sign_in("liting", DEMO_PASSWORD).close()
    kept = read_enrolment(tmp_path, keys.load())
    assert [len(kept.store_key), len(kept.grant_key)] == [32, 32]
    assert kept.store_key != kept.grant_key
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("change", ["store_key", "grant_key", "mac", "missing", "no json", "other seat"])
def test_keys_that_somebody_changed_are_not_used(tmp_path: Path, change: str) -> None:
    seat = SeatKeys.fresh()
    keep_enrolment(tmp_path, seat, Enrolment(b"s" * 32, b"g" * 32))
    assert read_enrolment(tmp_path, seat) == Enrolment(b"s" * 32, b"g" * 32)
    path = tmp_path / FILE
    body = json.loads(path.read_text())
    if change == "missing":
        del body["mac"]
    elif change == "other seat":
        seat = replace(seat, seat_id=SeatKeys.fresh().seat_id)
    elif change != "no json":
        body[change] = body["grant_key" if change == "store_key" else "store_key"]
    path.write_text("{" if change == "no json" else json.dumps(body))
    with pytest.raises(DeskError) as refused:
        read_enrolment(tmp_path, seat)
    assert refused.value.problem is Problem.STORE_DAMAGED
