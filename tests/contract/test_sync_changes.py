"""Pulling, the push channel, certificates and the whole desk, against the real server."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from agent_desktop.domain.days import utc_now
from agent_desktop.domain.models import Draft, Outcome, SeatState
from agent_desktop.services.desk import Desk
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.services.recordings import RecordingQuery
from agent_desktop.services.sign_in import SeatSettings, SignIn, ThrowAwayKeys
from agent_desktop.store import schema
from agent_desktop.store.keys import SeatKeys
from agent_desktop.sync.http import CollectionApi
from tests.support.cutting_proxy import CuttingProxy
from tests.support.desk_data import make_note, note_operation
from tests.support.seat import Seat, open_seat, wait_for
from tests.support.server import DEMO_PASSWORD, RunningServer, init_data, start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def desks(server: RunningServer, tmp_path: Path) -> Iterator[dict[str, Desk]]:
    made: dict[str, Desk] = {}
    for login in ("liting", "xujing"):
        settings = SeatSettings(server.url, tmp_path / login)
        made[login] = SignIn(settings, ThrowAwayKeys()).sign_in(login, DEMO_PASSWORD)
    yield made
    for desk in made.values():
        desk.close()


def _move(server: RunningServer, lead: CollectionApi, case_id: str, owner_id: str) -> None:
    answer = requests.put(
        f"{server.url}/v1/cases/{case_id}/owner",
        json={"owner_id": owner_id},
        headers={"Authorization": f"Bearer {lead.token()}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text


@dataclass
class Others:
    """A lead, and another collector to give cases to."""

    lead: CollectionApi
    collector_id: str


@pytest.fixture
def others(server: RunningServer) -> Iterator[Others]:
    lead, collector = CollectionApi(server.url), CollectionApi(server.url)
    for api, login in ((lead, "xujing"), (collector, "guowei")):
        keys = SeatKeys.fresh()
        user = api.sign_in(login, DEMO_PASSWORD, keys.seat_id, keys.public_key).user
    yield Others(lead, user.id)
    for api in (lead, collector):
        api.sign_out()
        api.close()


def _case_ids(seat: Seat) -> set[str]:
    return {facts.case.id for facts in seat.store.cases.facts()}


def test_a_case_taken_away_is_gone_from_the_disk_within_a_second(
    server: RunningServer, desks: dict[str, Desk], others: Others
) -> None:
    desk = desks["liting"]
    wait_for(lambda: desk.status.now.online)  # the first synchronisation is over
    case = desk.cases.queue()[-1].case
    desk.wrap_up.keep_draft(Draft(case.id, "", "", None, "在写", "", None, None))
    told: list[frozenset[str]] = []
    desk.cases.changed.join(told.append)
    begun = time.monotonic()
    _move(server, others.lead, case.id, others.collector_id)
    wait_for(lambda: any(case.id in ids for ids in told))
    assert time.monotonic() - begun < 1.5
    with pytest.raises(DeskError) as caught:
        desk.cases.detail(case.id)
    assert caught.value.problem is Problem.NOT_FOUND
    database = desk.cases._desk.store.database
    for table in (schema.contacts, schema.notes, schema.promises, schema.calls, schema.drafts):
        gone = table.select().where(table.c.case_id == case.id)
        assert database.read(lambda c, q=gone: c.execute(q).all()) == [], table.name  # type: ignore[misc]
    _move(server, others.lead, case.id, desk.user.id)
    wait_for(lambda: any(item.case.id == case.id for item in desk.cases.queue()))


def test_a_pull_cut_again_and_again_ends_with_the_same_cases(server: RunningServer, tmp_path: Path) -> None:
    whole = open_seat(tmp_path / "a", server.url)
    proxy = CuttingProxy(server.port, 7, budgets=(0, 1_000, 20_000, 100_000, 200_000))
    cut = open_seat(tmp_path / "b", proxy.url)
    try:
        whole.pull()
        cut.worker.start()
        wait_for(lambda: cut.store.changes.cursor() >= whole.store.changes.cursor(), 30)
        assert proxy.cuts > 0
        assert _case_ids(cut) == _case_ids(whole) != set()
        now = utc_now()
        for case_id in list(_case_ids(whole))[:20]:
            assert cut.store.cases.detail(case_id, now) == whole.store.cases.detail(case_id, now)
    finally:
        cut.close()
        whole.close()
        proxy.close()


def test_a_server_restored_from_an_older_back_up_is_followed(tmp_path: Path) -> None:
    data = init_data(tmp_path / "server")
    shutil.copytree(data, tmp_path / "backup")
    server = start_server(tmp_path, data_dir=data)
    seat = open_seat(tmp_path / "seat", server.url)
    try:
        seat.pull()
        case, _ = seat.first_case()
        for _ in range(5):
            note = make_note(case, author_id=seat.session.user.id, created_at=utc_now())
            seat.store.work.add_note(note, note_operation(note))
        seat.send()
        seat.pull()
        server.stop()
        shutil.rmtree(server.data_dir)
        shutil.copytree(tmp_path / "backup", server.data_dir)
        server = start_server(tmp_path, data_dir=server.data_dir, port=server.port)
        seat.api.sign_in("liting", DEMO_PASSWORD, seat.keys.seat_id, seat.keys.public_key)
        seat.pull()
        detail = seat.store.cases.detail(case.id, utc_now())
        assert detail is not None
        assert note not in [entry.note for entry in detail.timeline]
        assert len(seat.store.cases.facts()) > 50
    finally:
        seat.close()
        server.stop()


def test_the_wallboard_shows_a_change_within_a_second(
    server: RunningServer, tmp_path: Path, desks: dict[str, Desk]
) -> None:
    lead, keys = desks["xujing"], ThrowAwayKeys()
    seat_id = keys.load().seat_id
    collector = SignIn(SeatSettings(server.url, tmp_path / "hemin"), keys).sign_in("hemin", DEMO_PASSWORD)
    told: list[list[SeatState]] = []
    lead.wallboard.changed.join(told.append)

    def shown() -> str:
        return next((s.state for s in told[-1] if s.seat_id == seat_id), "") if told else ""

    wait_for(lambda: any(s.seat_id == seat_id for s in lead.wallboard.seats()))
    begun = time.monotonic()
    collector.status.set_agent_state("break")
    wait_for(lambda: shown() == "break")
    assert time.monotonic() - begun < 1.0
    collector.close()
    wait_for(lambda: shown() == "offline")


def test_a_note_reaches_the_figures_and_the_server(server: RunningServer, desks: dict[str, Desk]) -> None:
    desk = desks["liting"]
    wait_for(lambda: desk.status.now.online)  # the first synchronisation is over
    before = desk.cases.figures()
    case = desk.cases.queue()[0].case
    note = desk.wrap_up.save(
        Draft(case.id, "", "", Outcome.PROMISE, "明天还", "¥1,000.50", utc_now().date() + dt.timedelta(days=2), None)
    )
    after = desk.cases.figures()
    assert (after.cases_handled, after.promises) == (before.cases_handled + 1, before.promises + 1)
    assert after.promised.minor == before.promised.minor + 100_050
    assert note in [entry.note for entry in desk.cases.detail(case.id).timeline]
    wait_for(lambda: desk.status.now.outbox == 0 and desk.status.now.online)
    assert desk.status.now.refused == 0


def test_a_number_of_somebody_elses_case_is_found_on_the_server(
    server: RunningServer, desks: dict[str, Desk], others: Others
) -> None:
    desk = desks["liting"]
    wait_for(lambda: desk.status.now.online)  # the first synchronisation is over
    item = next(i for i in desk.cases.queue() if i.number and len(desk.cases.match(i.number)) == 1)
    _move(server, others.lead, item.case.id, others.collector_id)
    wait_for(lambda: all(i.case.id != item.case.id for i in desk.cases.queue()))
    assert [m.case.id for m in desk.cases.match(item.number)] == [item.case.id]


def test_signing_in_again_goes_on_with_the_same_desk(desks: dict[str, Desk]) -> None:
    desk = desks["liting"]
    wait_for(lambda: desk.status.now.online)
    api = desk.cases._desk.api
    token = api.token()
    api.sign_out()
    api._token = token
    desk.cases._desk.wake()
    wait_for(lambda: desk.status.now.signed_out)
    with pytest.raises(DeskError) as caught:
        desk.sign_in_again("not the password")
    assert caught.value.problem is Problem.WRONG_PASSWORD
    desk.sign_in_again(DEMO_PASSWORD)
    wait_for(lambda: not desk.status.now.signed_out and desk.status.now.online)


def test_problems_of_signing_in(server: RunningServer, tmp_path: Path) -> None:
    def problem(url: str, login: str, password: str, keys: SeatKeys | None = None) -> Problem:
        seat = keys or SeatKeys.fresh()
        with pytest.raises(DeskError) as caught:
            CollectionApi(url).sign_in(login, password, seat.seat_id, seat.public_key)
        return caught.value.problem

    assert problem(server.url, "nobody", "x") is Problem.WRONG_PASSWORD
    assert problem("http://127.0.0.1:9", "liting", "x") is Problem.SERVER_AWAY
    first = open_seat(tmp_path, server.url, "hemin")
    first.close()
    changed = SeatKeys(first.keys.seat_id, first.keys.store_key, SeatKeys.fresh().signing_seed)
    assert problem(server.url, "hemin", DEMO_PASSWORD, changed) is Problem.FORBIDDEN
    for url in ("ftp://x", "http://collection.example", "nonsense"):
        with pytest.raises(DeskError) as caught:
            CollectionApi(url)
        assert caught.value.problem is Problem.BAD_CONFIG
    with pytest.raises(DeskError) as caught:
        CollectionApi(server.url, str(tmp_path / "no.pem"))
    assert caught.value.problem is Problem.BAD_CONFIG


def test_a_collector_may_not_search_recordings_and_a_lead_may(desks: dict[str, Desk]) -> None:
    query = RecordingQuery(text="张", since=utc_now(), outcome=Outcome.PROMISE, min_seconds=1.5)
    with pytest.raises(DeskError) as caught:
        desks["liting"].recordings.search(query)
    assert caught.value.problem is Problem.FORBIDDEN
    assert desks["xujing"].recordings.search(query) == []
    for ask in (desks["xujing"].recordings.audio, desks["xujing"].recordings.accesses):
        with pytest.raises(DeskError) as caught:
            ask("00000000-0000-4000-8000-000000000000")
        assert caught.value.problem is Problem.NOT_FOUND
    with pytest.raises(DeskError) as caught:
        desks["xujing"].wallboard._desk.api.grant("no-such-seat", "listen")
    assert caught.value.problem is Problem.GRANT_REFUSED


def test_the_lead_sees_collectors_who_are_not_signed_in(desks: dict[str, Desk]) -> None:
    lead = desks["xujing"]
    rows = {seat.agent_name: seat for seat in lead.wallboard.seats()}
    assert set(rows) == {"李婷", "郭伟", "何敏"}
    away = rows["郭伟"]
    assert (away.seated, away.state, away.seat_id) == (False, "offline", f"user:{away.agent_id}")
    with pytest.raises(DeskError) as caught:
        lead.wallboard._desk.api.grant(away.seat_id, "listen")
    assert caught.value.problem is Problem.SEAT_OFFLINE


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"[1, 2" if "lookup" in self.path else b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An HTTPS server on loopback with a certificate of a private CA, and that CA's file."""
    pem = _self_signed(tmp_path)
    httpd = HTTPServer(("127.0.0.1", 0), _Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://127.0.0.1:{httpd.server_port}", pem
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def _self_signed(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "private CA")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - dt.timedelta(days=1))
        .not_valid_after(utc_now() + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: tuple[str, Path]) -> None:
    url, ca_file = tls
    untrusting = CollectionApi(url)
    with pytest.raises(DeskError) as caught:
        untrusting.health()
    assert caught.value.problem is Problem.SERVER_UNTRUSTED
    untrusting.close()
    trusting = CollectionApi(url, str(ca_file))
    trusting.health()
    with pytest.raises(DeskError) as caught:
        trusting.lookup("+8613800006021")
    assert caught.value.problem is Problem.SERVER_ERROR
    trusting.close()


def test_a_certificate_of_another_host_is_refused(tls: tuple[str, Path]) -> None:
    url, ca_file = tls
    api = CollectionApi(url.replace("127.0.0.1", "localhost"), str(ca_file))
    with pytest.raises(DeskError) as caught:
        api.health()
    assert caught.value.problem is Problem.SERVER_UNTRUSTED
    api.close()
