"""What a crash left in the spool becomes ready for upload, as it is (R5)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from recorder.clock import utc_now
from recorder.container import FINALISED, JOURNAL, ContainerError, ContainerReader, Header
from recorder.evidence import RECORDING_ID, Manifest, SeatIdentity, void_manifest
from recorder.files import SpoolError, spool_errors
from recorder.finalise import file_digest, publish, publish_journal
from recorder.spool import JournalFile, Spool

_log = logging.getLogger(__name__)


def recover(spool: Spool, identity: SeatIdentity) -> list[Manifest]:
    """Finish what other, dead processes began; journals that a live process holds are left alone.

    Whatever step a crash came at, each recording is afterwards there in exactly one form: a finalised file or a
    journal, with its manifest. Returns the manifests made now. One recording that cannot be recovered does not keep
    the others from it; raises ``SpoolError`` when none could be.
    """
    spool.prepare()
    spool.sweep()
    made: list[Manifest] = []
    failed: list[SpoolError] = []
    with spool_errors():
        journals, sealed = spool.ids(JOURNAL), spool.ids(FINALISED)
    for recording_id in sorted({*journals, *sealed}):
        try:
            manifest = _recover_one(spool, identity, recording_id, has_journal=recording_id in journals)
        except SpoolError as error:
            _log.warning("recording %s waits for the next start: %s", recording_id, error.code)
            failed.append(error)
        else:
            made += [manifest] if manifest else []
    if failed and not made:
        raise failed[0]
    return made + _account_for_numbers(spool, identity)


def _recover_one(spool: Spool, identity: SeatIdentity, recording_id: str, *, has_journal: bool) -> Manifest | None:
    if not has_journal:
        if spool.is_void(recording_id):
            _set_aside_void(spool, recording_id, spool.manifest(recording_id))
            return None
        if spool.manifest(recording_id) is not None or spool.has_receipt(recording_id):
            return None
        return _recover_sealed(spool, identity, recording_id)
    file = spool.take_abandoned(recording_id)
    if file is None:
        return None
    try:
        return _recover_journal(spool, identity, recording_id, file)
    finally:
        file.close()


def _recover_journal(spool: Spool, identity: SeatIdentity, recording_id: str, file: JournalFile) -> Manifest | None:
    manifest = spool.manifest(recording_id)
    if spool.is_void(recording_id):
        file.close()
        _set_aside_void(spool, recording_id, manifest)
        return None
    if spool.has_receipt(recording_id):
        spool.drop_journal(file)  # the store has it; the crash came before the journal went
        return None
    if manifest is not None and manifest.kind == JOURNAL:
        return None
    if manifest is not None and _is_whole(spool, manifest):
        spool.drop_journal(file)
        return None
    header = _header(spool, recording_id, JOURNAL)
    if header is None:
        file.close()
        spool.set_aside(recording_id, "unreadable")
        return None
    with spool_errors():
        # Without its manifest nobody vouches for a finalised file; the journal is the original.
        spool.payload(recording_id, FINALISED).unlink(missing_ok=True)
    return publish_journal(spool, identity, file, header.facts, None, _last_written(spool, recording_id, JOURNAL))


def _set_aside_void(spool: Spool, recording_id: str, manifest: Manifest | None) -> None:
    """Audio that turns up after its number was declared void is kept for a person to look at."""
    _log.warning("recording %s turned up after its number was declared void, and is set aside", recording_id)
    spool.set_aside(recording_id, "declared_void")
    if manifest is not None:  # not yet with the store
        spool.publish(manifest)


def _recover_sealed(spool: Spool, identity: SeatIdentity, recording_id: str) -> Manifest | None:
    header = _header(spool, recording_id, FINALISED)
    if header is None:
        spool.set_aside(recording_id, "unreadable")
        return None
    path = spool.payload(recording_id, FINALISED)
    facts = header.facts
    with spool_errors():
        digest, size = file_digest(path)
    return publish(
        spool,
        identity,
        Manifest(
            recording_id=recording_id,
            call_id=facts.call_id,
            seat_id=facts.seat_id,
            number=0,
            kind=FINALISED,
            recovered=True,
            size=size,
            sha256=digest,
            rate=facts.rate,
            samples=0,
            lost_frames=0,
            started_at=facts.started_at,
            ended_at=_last_written(spool, recording_id, FINALISED),
            mode=facts.mode,
            policy_sha256=facts.policy_sha256,
        ),
    )


def _is_whole(spool: Spool, manifest: Manifest) -> bool:
    try:
        return file_digest(spool.payload(manifest.recording_id, manifest.kind)) == (manifest.sha256, manifest.size)
    except OSError:
        return False


def _header(spool: Spool, recording_id: str, kind: str) -> Header | None:
    try:
        with spool.payload(recording_id, kind).open("rb") as stream:
            header = ContainerReader(stream).header
    except ContainerError as error:
        _log.warning("recording %s cannot be read (%s) and is set aside", recording_id, error.code)
        return None
    return header if (header.kind, header.facts.recording_id) == (kind, recording_id) else None


def _last_written(spool: Spool, recording_id: str, kind: str) -> str:
    with spool_errors():
        when = spool.payload(recording_id, kind).stat().st_mtime
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _account_for_numbers(spool: Spool, identity: SeatIdentity) -> list[Manifest]:
    """Settle numbers whose manifest was written just before a crash, or has long been with the store.

    A number whose process is gone, and of which there is no audio that could be sent, is declared void: somebody
    deleted the audio, or it cannot be read, and the store and its QA are to know.
    """
    made = []
    with spool_errors():
        for recording_id in spool.numbers.held():
            if spool.manifest(recording_id) is not None or spool.has_receipt(recording_id):
                spool.numbers.settle(recording_id)
        for recording_id, taken in spool.numbers.abandoned().items():
            here = any(spool.payload(recording_id, kind).exists() for kind in (JOURNAL, FINALISED))
            if here or not RECORDING_ID.fullmatch(recording_id):
                continue
            call_id = taken.call_id if RECORDING_ID.fullmatch(taken.call_id) else ""
            void = void_manifest(
                identity, recording_id, taken.number, taken.at or utc_now(), call_id=call_id, ended_at=utc_now()
            )
            _log.warning("recording %s is gone: its number %d is declared void", recording_id, taken.number)
            spool.publish(void)
            made.append(void)
    return made


__all__ = ["SpoolError", "recover"]
