"""The thread that builds packages, one at a time, and removes those whose time is over."""

from __future__ import annotations

import errno
import logging
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path

from collection_server.context import Server
from collection_server.evidence.zipping import zipped
from collection_server.retrieval import service
from collection_server.retrieval.package import Package, keep_results
from collection_server.retrieval.service import Taken
from collection_server.retrieval.vault import VaultWriter, new_key

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SEEN_SECONDS = 2.0
_STRAY_SECONDS = 300.0


def package_folder(server: Server) -> Path:
    return server.settings.data / "retrieval"


class _Stopping(Exception):
    """The server is being stopped."""


class _Gone(Exception):
    """The job is no longer this worker's: cancelled, or taken for dead."""


class RetrievalWorker:
    """Started and stopped with the server. Several processes' workers share the jobs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._id = str(uuid.uuid4())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="retrieval", daemon=True)
        self._swept = -_STRAY_SECONDS

    def start(self) -> None:
        package_folder(self._server).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Gives a job under way back. Returns within seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                worked = self._look()
            except Exception as error:  # the database may be away for a while
                log.error("retrieval: %s", type(error).__name__)
                worked = False
            if not worked:
                self._stopping.wait(LOOK_SECONDS)

    def _look(self) -> bool:
        self._remove_old()
        now = self._server.clock()
        with self._server.db.read() as session:
            if not service.has_work(session, now):
                return False
        with self._server.db.write() as session:
            taken = service.take(session, self._id, now)
        if taken is not None:
            self._build(taken)
        return taken is not None

    def _build(self, taken: Taken) -> None:
        folder = package_folder(self._server)
        path = folder / f"{taken.job_id}.{taken.attempt}"
        for old in folder.glob(f"{taken.job_id}.*"):  # of a worker that died, or gave the job back
            old.unlink(missing_ok=True)
        try:
            if not self._write(taken, path):
                path.unlink(missing_ok=True)
        except _Gone:
            path.unlink(missing_ok=True)
        except _Stopping:
            path.unlink(missing_ok=True)
            with self._server.db.write() as session:
                service.give_back(session, taken)
        except Exception as error:
            path.unlink(missing_ok=True)
            code = "no_space" if isinstance(error, OSError) and error.errno == errno.ENOSPC else "server_error"
            log.error("retrieval failed: %s", type(error).__name__)
            with self._server.db.write() as session:
                service.fail(session, taken, code, self._server.clock())

    def _write(self, taken: Taken, path: Path) -> bool:
        key, sealed_key = new_key(self._server.keys.store)
        watch = _Watch(self._server, taken, self._stopping)
        with self._server.db.read() as session:
            package = Package(session, self._server, taken.job_id)
        with VaultWriter(path, key, taken.job_id) as vault:
            for chunk in zipped(package.files(watch.begun), self._server.blobs):
                vault.write(chunk)
                watch.tick()
        keep = timedelta(seconds=self._server.settings.retrieval_keep_seconds)
        with self._server.db.write() as session:
            now = self._server.clock()
            if not service.finish(session, taken, vault.size, vault.sha256, sealed_key, now, keep):
                return False
            keep_results(session, taken.job_id, package.rows)
        return True

    def _remove_old(self) -> None:
        """Packages whose time is over, and files that belong to no job: cancelled, or left by a crash."""
        now = self._server.clock()
        with self._server.db.read() as session:
            expired = service.has_expired(session, now)
        if expired:
            with self._server.db.write() as session:
                service.expire(session, now)
        if not expired and time.monotonic() - self._swept < _STRAY_SECONDS:
            return
        self._swept = time.monotonic()
        with self._server.db.read() as session:
            wanted = service.wanted_packages(session)
        for path in package_folder(self._server).iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)


class _Watch:
    """Says how far a job is, and finds out that it should not go on."""

    def __init__(self, server: Server, taken: Taken, stopping: threading.Event) -> None:
        self._server, self._taken, self._stopping = server, taken, stopping
        self._done = 0
        self._told = time.monotonic()

    def begun(self, done: int) -> None:
        self._done = done

    def tick(self) -> None:
        if self._stopping.is_set():
            raise _Stopping
        if time.monotonic() - self._told < SEEN_SECONDS:
            return
        self._told = time.monotonic()
        with self._server.db.write() as session:
            if not service.seen(session, self._taken, self._done, self._server.clock()):
                raise _Gone
