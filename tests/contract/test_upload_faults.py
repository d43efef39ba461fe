"""What goes wrong on the way to the store, done for real: cuts in mid-part, kills, ends of addresses and tokens (R6).

Each on a disk and on a running OpenStack Swift. Nothing is lost, and at most one part is sent again.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from collection_server.storage.s3 import S3Store
from recorder.evidence import Manifest
from recorder.spool import Spool
from recorder.uploader import UploadApi, Uploader, UploadStatus
from recorder.uploader_api import Part, PartSums, UploadPlan
from tests.support.counting_proxy import CountingProxy
from tests.support.sealed import Sealed
from tests.support.server import RunningServer, init_data, start_server
from tests.support.server_api import Seat
from tests.support.swift import Swift

pytestmark = pytest.mark.slow
PART = 5 * 1024 * 1024
SECONDS = 400.0
RATE = 16_000_000
"""Bytes a second: slow enough that something can go wrong on the way."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_data(tmp_path_factory.mktemp("collection") / "data")


@pytest.fixture
def swift(tmp_path: Path) -> Iterator[Swift]:
    running = Swift(tmp_path / "swift").start()
    running.make_bucket()
    yield running
    running.stop()


@dataclass
class Site:
    """A server and its store, one proxy before each, and a seat that sends through them."""

    folder: Path
    data: Path
    swift: Swift | None
    environment: dict[str, str]
    server: RunningServer
    states: list[UploadStatus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.to_server = CountingProxy(self.server.port)
        self.seat = Seat(self.server.url, "liting")
        self.token = self.seat.token
        self.spool = Spool(self.folder / "spool")
        self.spool.prepare()
        self.api = UploadApi(self.to_server.url, lambda: self.token)
        self.uploader = Uploader(
            self.spool,
            self.api,
            self.states.append,
            receipt_key=base64.b64decode(self.seat.session["keys"]["receipt"]),
            bytes_per_second=RATE,
            first_wait=0.05,
            look_every=0.2,
        )

    def serve_again(self) -> None:
        self.server = start_server(self.folder, data_dir=self.data, port=self.server.port, env=self.environment)

    def record(self) -> Manifest:
        """A sealed recording of 12.8 MB: three parts."""
        key = base64.b64decode(self.seat.session["keys"]["store"])
        sealed = Sealed(key, self.seat.seat_id, self.seat.key, 1 + len(self.spool.ready()), seconds=SECONDS)
        sealed.journal(closed=True)
        manifest = Manifest.from_json(sealed.manifest())
        self.spool.payload(manifest.recording_id, "J").write_bytes(sealed.data)
        self.spool.publish(manifest)
        return manifest

    def wait_stored(self, manifest: Manifest, timeout: float = 60.0) -> None:
        def stored() -> bool:
            return any(status.last_done == manifest.recording_id for status in list(self.states))

        until(stored, timeout, lambda: f"{self.states[-3:]} {list(self.server.errors)[-8:]}")
        assert not self.spool.ready()
        assert not self.spool.has_refused()
        reviewer = Seat(self.server.url, "chenyu")
        rows = reviewer.get("/v1/recordings", params={"limit": 500}).json()["recordings"]
        [row] = [row for row in rows if row["id"] == manifest.recording_id]
        assert (row["state"], row["seconds"]) == ("recovered", SECONDS)

    def stop(self) -> None:
        self.uploader.stop()
        self.uploader.close()
        self.to_server.close()
        self.server.stop()


def until(wanted: Callable[[], bool], timeout: float = 30.0, said: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + timeout
    while not wanted():
        assert time.monotonic() < deadline, said()
        time.sleep(0.01)


@pytest.fixture(params=["disk", "swift"])
def site(request: pytest.FixtureRequest, tmp_path: Path, data: Path) -> Iterator[Site]:
    environment = {"COLLECTION_PART_SIZE": str(PART)}
    swift: Swift | None = None
    line: CountingProxy | None = None
    if request.param == "swift":
        swift = request.getfixturevalue("swift")
        line = CountingProxy(int(swift.url.rsplit(":", 1)[1]))
        environment |= swift.environment(S3_SEAT_ENDPOINT=line.url)
    server = start_server(tmp_path, data_dir=data, env=environment)
    made = Site(tmp_path, data, swift, environment, server)
    made.to_store = line or made.to_server  # type: ignore[attr-defined]
    yield made
    made.stop()
    if line is not None:
        line.close()


def store_line(site: Site) -> CountingProxy:
    """Where the parts go."""
    line = site.to_store  # type: ignore[attr-defined]
    assert isinstance(line, CountingProxy)
    return line


def test_parts_go_straight_to_the_object_store_and_nowhere_else(site: Site) -> None:
    manifest = site.record()
    site.uploader.start()
    site.wait_stored(manifest)
    assert manifest.size <= store_line(site).sent < manifest.size + 20_000
    if site.swift is not None:
        assert site.to_server.sent < 20_000
        assert not [p for p in (site.data / "recordings").rglob("*") if manifest.sha256 in p.name]
        with S3Store(site.swift.settings()).open(manifest.sha256) as file:
            assert file.read(5) == b"ADREC"


@pytest.mark.parametrize("at", [0.2, 0.95])
def test_a_cut_in_mid_part_costs_one_part_at_most(site: Site, at: float) -> None:
    manifest = site.record()
    line = store_line(site)
    line.cut_at = int(manifest.size * at)
    site.uploader.start()
    until(line.down.is_set)
    until(lambda: any(not s.uploading and s.waiting for s in site.states))
    assert len(site.spool.ready()) == 1
    line.mend()
    site.uploader.wake()
    site.wait_stored(manifest)
    assert line.sent < manifest.size + PART + 50_000


def test_a_server_that_is_killed_in_mid_upload_goes_on_where_it_was(site: Site) -> None:
    manifest = site.record()
    line = store_line(site)
    site.uploader.start()
    until(lambda: line.sent > manifest.size // 2)
    site.server.stop(kill=True)
    until(lambda: any(s.problem == "server_away" for s in site.states))
    site.serve_again()
    site.uploader.wake()
    site.wait_stored(manifest)
    assert line.sent < manifest.size + PART + 50_000


def test_a_server_that_is_killed_while_it_checks_answers_the_same_receipt_later(site: Site) -> None:
    manifest = site.record()
    site.uploader.bytes_per_second = 0
    site.uploader.start()
    until(lambda: store_line(site).sent >= manifest.size)
    time.sleep(0.05)  # somewhere between the last part and the receipt
    site.server.stop(kill=True)
    site.serve_again()
    site.uploader.wake()
    site.wait_stored(manifest)
    assert store_line(site).sent < manifest.size + PART + 50_000


def test_an_object_store_that_is_killed_in_mid_upload_goes_on_where_it_was(site: Site) -> None:
    if site.swift is None:
        pytest.skip("a disk is killed with its server")
    manifest = site.record()
    line = store_line(site)
    site.uploader.start()
    until(lambda: line.sent > manifest.size // 2)
    site.swift.kill()
    until(lambda: any(s.problem == "server_away" for s in site.states))
    site.swift.start()
    site.uploader.wake()
    site.wait_stored(manifest)
    assert line.sent < manifest.size + 2 * PART + 50_000  # one for the cut, one for what Swift had not yet synced


def test_a_token_that_ends_in_mid_upload_costs_nothing(site: Site) -> None:
    manifest = site.record()
    line = store_line(site)
    site.uploader.start()
    until(lambda: line.sent > manifest.size // 4)
    ended = requests.delete(
        f"{site.server.url}/v1/session", headers={"Authorization": f"Bearer {site.token}"}, timeout=10
    )
    assert ended.status_code == 204
    until(lambda: any(s.problem == "signed_out" for s in site.states))
    assert len(site.spool.ready()) == 1
    site.token = Seat(site.server.url, "liting", seat_id=site.seat.seat_id, key=site.seat.key).token
    site.uploader.wake()
    site.wait_stored(manifest)
    assert line.sent < manifest.size + PART + 50_000


def test_an_address_that_is_too_old_is_asked_for_again(site: Site) -> None:
    if site.swift is None:
        pytest.skip("a disk's addresses do not end")
    site.server.stop()
    site.environment["COLLECTION_S3_ADDRESS_SECONDS"] = "1"
    site.serve_again()
    asked: list[int] = []
    real = site.api.addresses

    def late(plan: UploadPlan, sums: list[PartSums]) -> dict[int, Part]:
        found = real(plan, sums)
        asked.append(sums[0].number)
        if len(asked) == 1:
            time.sleep(2.5)
        return found

    site.api.addresses = late  # type: ignore[method-assign]
    manifest = site.record()
    site.uploader.start()
    site.wait_stored(manifest)
    assert asked == [1, 1, 2, 3]


def test_a_seat_that_knows_no_addresses_sends_through_the_server(site: Site) -> None:
    site.api.addresses = None  # type: ignore[method-assign,assignment]
    begin = site.api.begin

    def as_before(manifest: Manifest) -> UploadPlan:
        plan = begin(manifest)
        return UploadPlan(plan.parts, plan.received, plan.receipt)

    site.api.begin = as_before  # type: ignore[method-assign]
    manifest = site.record()
    site.uploader.start()
    site.wait_stored(manifest)
    assert site.to_server.sent >= manifest.size
