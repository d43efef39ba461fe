"""What every store of recordings promises: the same tests on a disk and on a really running OpenStack Swift."""

from __future__ import annotations

import hashlib
import os
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collection_server.storage import (
    Address,
    Assembled,
    BlobMissing,
    BlobStore,
    DiskStore,
    PartSums,
    StagedPartMissing,
    Staging,
    StoreAway,
    WrongSum,
)
from collection_server.storage.s3 import S3Store
from tests.support.swift import Swift


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    running = Swift(tmp_path_factory.mktemp("swift"), min_part=1).start()
    running.make_bucket()
    yield running
    running.stop()


@pytest.fixture(params=["disk", "swift"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "disk":
        return DiskStore(tmp_path / "store")
    swift: Swift = request.getfixturevalue("swift")
    return S3Store(swift.settings(s3_prefix=f"{uuid.uuid4().hex}/"))


@pytest.fixture
def s3(swift: Swift) -> S3Store:
    return S3Store(swift.settings(s3_prefix=f"{uuid.uuid4().hex}/"))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def begin(store: BlobStore) -> Staging:
    upload_id = str(uuid.uuid4())
    return Staging(upload_id, store.begin(upload_id))


def put(store: BlobStore, upload: Staging, *parts: bytes) -> dict[int, str]:
    for number, data in enumerate(parts, 1):
        store.put_part(upload, number, data, sha(data))
    return {number: sha(data) for number, data in enumerate(parts, 1)}


def assemble(store: BlobStore, upload: Staging, parts: dict[int, str], sha256: str) -> Assembled:
    made = store.assemble(upload, parts, sha256)
    if made.file is not None:
        with made.file as file:
            assert sha(file.read()) == sha256
    return made


def keep(store: BlobStore, *parts: bytes) -> str:
    upload = begin(store)
    whole = b"".join(parts)
    assert assemble(store, upload, put(store, upload, *parts), sha(whole)) == Assembled(sha(whole), len(whole))
    store.drop_parts(upload)
    return sha(whole)


def content(store: BlobStore, name: str) -> bytes:
    with store.open(name) as file:
        data = file.read()
        file.seek(1)
        assert file.read(3) == data[1:4]
        return data


@pytest.mark.parametrize("parts", [[b"hello world"], [b"hello ", b"world", b"!"], [os.urandom(3_000_000), b"x"]])
def test_parts_become_a_blob_named_by_its_sum(store: BlobStore, parts: list[bytes]) -> None:
    name = keep(store, *parts)
    assert content(store, name) == b"".join(parts)
    assert store.stat(name) == sum(map(len, parts))
    assert list(store.list()) == [name]


def test_a_part_may_be_sent_again_and_in_any_order(store: BlobStore) -> None:
    upload = begin(store)
    for number, data in ((2, b"world"), (1, b"wrong"), (1, b"hello ")):
        store.put_part(upload, number, data, sha(data))
    whole = sha(b"hello world")
    assert assemble(store, upload, {2: sha(b"world"), 1: sha(b"hello ")}, whole) == Assembled(whole, 11)
    assert content(store, whole) == b"hello world"


def test_what_is_not_what_it_should_be_is_not_stored(store: BlobStore) -> None:
    upload = begin(store)
    made = assemble(store, upload, put(store, upload, b"hel", b"lo"), sha(b"other"))
    assert made == Assembled(sha(b"hello"), 5)
    for name in (sha(b"other"), sha(b"hello")):
        with pytest.raises(BlobMissing):
            store.open(name)
        with pytest.raises(BlobMissing):
            store.stat(name)
    assert list(store.list()) == []


def test_a_missing_part_makes_no_blob(store: BlobStore) -> None:
    upload = begin(store)
    parts = put(store, upload, b"hello")
    with pytest.raises(StagedPartMissing):
        assemble(store, upload, {**parts, 2: sha(b"x")}, sha(b"hellox"))
    assert list(store.list()) == []


def test_assembling_again_says_the_same(store: BlobStore) -> None:
    """After a crash between the store and the database, and when two requests complete the same upload."""
    upload = begin(store)
    parts = put(store, upload, b"hello ", b"world")
    whole = sha(b"hello world")
    for _ in range(2):
        assert assemble(store, upload, parts, whole) == Assembled(whole, 11)
    store.drop_parts(upload)
    store.drop_parts(upload)
    assert assemble(store, upload, parts, whole) == Assembled(whole, 11)
    assert content(store, whole) == b"hello world"


def test_the_same_bytes_twice_are_one_blob(store: BlobStore) -> None:
    assert keep(store, b"same") == keep(store, b"sa", b"me")
    assert len(list(store.list())) == 1


def test_many_uploads_at_once_do_not_mix(store: BlobStore) -> None:
    names: list[str] = []

    def one(n: int) -> None:
        names.append(keep(store, b"%d" % n * 1000, b"end %d" % n))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == sorted(store.list())
    assert len(set(names)) == 6


def test_a_file_is_copied_in(store: BlobStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"restored")
    store.put_file(path, sha(b"restored"))
    store.put_file(path, sha(b"restored"))
    assert content(store, sha(b"restored")) == b"restored"
    with pytest.raises(WrongSum):
        store.put_file(path, sha(b"other"))
    assert list(store.list()) == [sha(b"restored")]


def test_a_destroyed_blob_is_gone_and_may_come_again(store: BlobStore) -> None:
    name = keep(store, b"hello")
    store.delete(name)
    store.delete(name)
    assert list(store.list()) == []
    with pytest.raises(BlobMissing):
        store.open(name)
    assert keep(store, b"hello") == name


def test_a_store_that_cannot_protect_says_so_and_changes_nothing(store: BlobStore) -> None:
    """OpenStack Swift takes PutObjectRetention for a plain PUT: asking it would destroy the recording."""
    name = keep(store, b"hello")
    assert store.protect(name, datetime.now(UTC) + timedelta(days=730)) is False
    assert content(store, name) == b"hello"
    with pytest.raises(BlobMissing):
        store.protect(sha(b"none"), datetime.now(UTC))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 64 + "\n"])
def test_names_are_sums_and_nothing_else(store: BlobStore, name: str) -> None:
    for use in (store.open, store.stat, store.delete):
        with pytest.raises(ValueError, match="SHA-256"):
            use(name)
    with pytest.raises(ValueError, match=r"UUID|badly formed"):
        store.put_part(Staging("../x", "x"), 1, b"", sha(b""))


# --- what only an object store does ---


def address(s3: S3Store, upload: Staging, data: bytes, number: int = 1, seconds: int = 60) -> Address:
    sums = PartSums(number, len(data), sha(data), hashlib.md5(data).hexdigest())  # noqa: S324
    found = s3.addresses(upload, [sums], seconds)
    assert found is not None
    return found[number]


def send(to: Address, data: bytes, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(to.url, data=data, headers={**to.headers, **headers}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_address_takes_these_bytes_and_no_others(s3: S3Store) -> None:
    upload = begin(s3)
    data = os.urandom(5000)
    where = address(s3, upload, data)
    assert send(where, data[::-1])[0] == 400
    assert "BadDigest" in send(where, data[::-1])[1]
    assert send(where, data[:-1])[0] in (400, 403)
    assert send(where, data, **{"x-amz-checksum-sha256": "A" * 43 + "="})[0] == 403
    assert s3.received(upload, {1: 5000}, sha(data)) == set()
    assert send(where, data) == (200, "")
    assert s3.received(upload, {1: 5000}, sha(data)) == {1}
    assert s3.received(upload, {1: 4999}, sha(data)) == set()
    assert assemble(s3, upload, {1: ""}, sha(data)) == Assembled(sha(data), 5000)


def test_an_address_ends(s3: S3Store) -> None:
    upload = begin(s3)
    where = address(s3, upload, b"late", seconds=1)
    threading.Event().wait(2.5)
    status, text = send(where, b"late")
    assert (status, "AccessDenied" in text) == (403, True)


def test_the_store_itself_refuses_a_part_with_a_wrong_sum(s3: S3Store) -> None:
    upload = begin(s3)
    with pytest.raises(WrongSum):
        s3.put_part(upload, 1, b"hello", sha(b"other"))
    assert s3.received(upload, {1: 5}, sha(b"hello")) == set()


def test_what_a_crash_left_joined_is_received(s3: S3Store, swift: Swift) -> None:
    """Between joining and copying, and between copying and the database."""
    upload = begin(s3)
    parts = put(s3, upload, b"hello ", b"world")
    s3._join(upload, parts)
    assert s3.received(upload, {1: 6, 2: 5}, sha(b"hello world")) == {1, 2}
    assert assemble(s3, upload, parts, sha(b"hello world")).size == 11
    s3.drop_parts(upload)
    assert s3.received(upload, {1: 6, 2: 5}, sha(b"hello world")) == {1, 2}


def test_an_upload_that_the_service_has_forgotten_is_said(s3: S3Store) -> None:
    upload = begin(s3)
    put(s3, upload, b"hello")
    s3.drop_parts(upload)
    with pytest.raises(StagedPartMissing):
        s3.received(upload, {1: 5}, sha(b"hello"))
    with pytest.raises(StagedPartMissing):
        s3.put_part(upload, 1, b"hello", sha(b"hello"))
    with pytest.raises(StagedPartMissing):
        assemble(s3, upload, {1: sha(b"hello")}, sha(b"hello"))


def test_a_blob_that_was_changed_behind_our_back_is_not_shown(s3: S3Store, swift: Swift) -> None:
    name = keep(s3, b"hello")
    [item] = swift.client().list_objects_v2(Bucket="recordings", Prefix=s3._prefix)["Contents"]
    swift.client().put_object(Bucket="recordings", Key=item["Key"], Body=b"jello")
    with pytest.raises(BlobMissing):
        s3.open(name)


def test_nothing_is_left_in_staging(s3: S3Store, swift: Swift) -> None:
    name = keep(s3, b"hello ", b"world")
    abandoned = begin(s3)
    put(s3, abandoned, b"x")
    s3.drop_parts(abandoned)
    keys = [item["Key"] for item in swift.client().list_objects_v2(Bucket="recordings", Prefix=s3._prefix)["Contents"]]
    assert keys == [f"{s3._prefix}blobs/{name[:2]}/{name}"]
    uploads = swift.client().list_multipart_uploads(Bucket="recordings", Prefix=s3._prefix).get("Uploads", [])
    assert uploads == []


@pytest.mark.parametrize(
    "wrong", [{"s3_secret_key": "wrong"}, {"s3_bucket": "nothing"}, {"s3_endpoint": "http://127.0.0.1:9"}]
)
def test_a_service_that_is_not_there_for_us_is_away(swift: Swift, wrong: dict[str, str]) -> None:
    store = S3Store(swift.settings(**wrong))
    for use in (lambda: store.begin(str(uuid.uuid4())), lambda: store.open(sha(b"x")), lambda: list(store.list())):
        with pytest.raises(StoreAway) as told:
            use()
        assert "secret" not in str(told.value).lower()
