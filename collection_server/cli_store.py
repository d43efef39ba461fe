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

    if not is_ready(settings):
        raise Stop(f"There is no up-to-date database in {settings.data}: run `collection-server init` or `upgrade`.")
    try:
        return make_server(settings)
    except BadKeys as error:
        raise Stop(str(error)) from error


@contextmanager
def _opened(data: Path | None) -> Iterator[Server]:
    server = open_server(load_settings(data=data))
    try:
        yield server
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
