"""``collection-server retention``, ``backup`` and ``restore``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collection_server.settings import Settings, load_settings

if TYPE_CHECKING:
    from collection_server.context import Server

Data = Annotated[Path | None, typer.Option(help="Data directory (default: COLLECTION_DATA, else collection-data)")]

retention = typer.Typer(no_args_is_help=True, help="Recordings whose time is over.")


class Stop(Exception):
    """The command cannot go on; the text is one sentence for the person at the keyboard."""


def open_server(settings: Settings) -> Server:
    """The parts of a server that has been set up. Raises ``Stop``."""
    from collection_server.app import make_server
    from collection_server.keys import BadKeys
    from collection_server.setup import is_ready

    if (settings.data / "restoring").exists():
        raise Stop(f"A restore into {settings.data} has not come to its end: empty the place and restore again.")
    if not is_ready(settings):
        raise Stop(f"There is no up-to-date database in {settings.data}: run `collection-server init` or `upgrade`.")
    try:
        return make_server(settings)
    except BadKeys as error:
        raise Stop(str(error)) from error


@contextmanager
def _opened(data: Path | None) -> Iterator[Server]:
    from collection_server.storage import StoreAway

    server = open_server(load_settings(data=data))
    try:
        yield server
    except StoreAway as error:
        raise Stop("The object store cannot be reached, or refuses; what was done so far stands.") from error
    finally:
        server.db.dispose()


@retention.command("run")
def retention_run(
    data: Data = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be destroyed")] = False,
) -> None:
    """Destroy the recordings whose time is over by the rules, but for those on hold."""
    from collection_server.retention import destroy

    with _opened(data) as server:
        report = destroy.run(server, dry_run=dry_run)
    print(*(f"{name} {count}" for name, count in report.counts().items()), sep="\n")
    if dry_run:
        print(*report.due, sep="\n")
    if report.backup_runs:
        raise Stop("A backup is running, so nothing new was destroyed: run this again after it.")


Passphrase = Annotated[
    Path | None, typer.Option(help="File whose first line is the passphrase of the keys (default: ask for it)")
]


def backup(
    folder: Annotated[Path | None, typer.Argument(help="Where the back-ups are (default: backup_folder)")] = None,
    data: Data = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Snapshots to keep (default: backup_keep)")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read again what is in the folder already")] = False,
    keys: Annotated[Path | None, typer.Option(help="Also write the keys, sealed, to this new file elsewhere")] = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Copy the database and the recordings, consistently, while the server goes on."""
    from collection_server.backup import create, database, sealed_keys
    from collection_server.retention.guard import BackupRuns

    with _opened(data) as server:
        place = folder or server.settings.backup_folder
        if place is None:
            raise Stop("Say where to, or set backup_folder.")
        try:
            if keys is not None:
                sealed_keys.write(keys, server.keys, _passphrase(passphrase_file, confirm=True))
            result = create.back_up(server, place, keep=keep or server.settings.backup_keep, check=check)
        except BackupRuns as error:
            raise Stop("Another backup is running.") from error
        except create.LeaseLost as error:
            raise Stop("The database was away for too long; there is no new snapshot.") from error
        except (database.DatabaseFailed, sealed_keys.BadKeyFile) as error:
            raise Stop(str(error)) from error
        except OSError as error:
            raise Stop(f"{error.filename or place} cannot be written: {error.strerror}.") from error
    print(f"snapshot {result.name}", f"recordings {result.recordings}", f"copied {result.copied}", sep="\n")
    for problem in result.problems:
        print(problem["problem"], problem["recording_id"])
    if result.problems:
        raise Stop(f"{len(result.problems)} files of recordings are not in the back-up: the store does not have them.")


def restore(
    folder: Annotated[Path, typer.Argument(help="Where the back-ups are")],
    keys: Annotated[Path, typer.Option(help="The sealed keys that belong to it")],
    data: Data = None,
    snapshot: Annotated[str, typer.Option(help="Name of the snapshot (default: the newest)")] = "",
    passphrase_file: Passphrase = None,
) -> None:
    """Restore into an empty place, and verify every recording there."""
    from collection_server import setup
    from collection_server.app import make_server
    from collection_server.backup import database, sealed_keys
    from collection_server.backup import restore as restoring
    from collection_server.backup.snapshot import BadBackup
    from collection_server.storage import StoreAway

    try:
        found = sealed_keys.unseal(keys.read_bytes(), _passphrase(passphrase_file, confirm=False))
        settings = load_settings(data=data)
        report = restoring.restore(settings, folder, snapshot, found, make_server, setup.upgrade)
    except (BadBackup, restoring.NotEmpty, database.DatabaseFailed, sealed_keys.BadKeyFile) as error:
        raise Stop(str(error)) from error
    except StoreAway as error:
        raise Stop("The object store cannot be reached, or refuses: empty the place and restore again.") from error
    except OSError as error:
        raise Stop(f"{error.filename} cannot be read or written: {error.strerror}.") from error
    print(f"snapshot {report.name}", f"recordings {report.recordings}", sep="\n")
    if report.destroyed_since:
        print(f"destroyed since {report.destroyed_since}: run `collection-server retention run`")
    for recording_id, problem in report.problems.items():
        print(problem, recording_id)
    if not report.sound:
        broken = f" These do not hold together: {', '.join(report.broken)}." if report.broken else ""
        raise Stop(f"Restored, but {len(report.problems)} recordings are not what they were.{broken}")
    print("every recording verified")


def _passphrase(path: Path | None, *, confirm: bool) -> str:
    if path is None:
        return str(typer.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=confirm))
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0] if lines else ""
