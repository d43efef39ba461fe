"""Fetching what changed on the server, page by page, from where the last page ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from agent_desktop.domain.sync import ChangePage
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store.sync_state import ChangeStore

log = logging.getLogger(__name__)

PAGE = 200
"""Changes a page: small, so that each is written in some 15 ms and a call that comes in is not kept waiting."""


class SyncAhead(DeskError):
    """The server is behind our cursor: it was restored from a back-up. Everything must be fetched again."""

    def __init__(self) -> None:
        super().__init__(Problem.SERVER_ERROR, "sync_ahead")


class ChangesApi(Protocol):
    """Where changes come from; ``CollectionApi`` is one."""

    def changes(self, since: int, limit: int) -> ChangePage: ...


class Puller:
    """A page and the cursor after it are written together: a cut at any moment neither loses nor repeats a change."""

    def __init__(self, changes: ChangeStore, api: ChangesApi, on_changed: Callable[[frozenset[str]], None]) -> None:
        self._changes = changes
        self._api = api
        self._on_changed = on_changed

    def pull_all(self, keep_on: Callable[[], bool] = lambda: True) -> int:
        """Fetch until there is no more, or ``keep_on`` says stop; returns how many. Raises ``DeskError``."""
        total = 0
        while keep_on():
            since = self._changes.cursor()
            try:
                page = self._api.changes(since, PAGE)
            except SyncAhead:
                if since == 0:
                    raise
                log.warning("the server is behind us: fetching everything again")
                self._changes.restart()
                continue
            if page.skipped:
                log.warning("%d changes were not understood and left out", page.skipped)
            if page.next > since or page.changes:
                touched = self._changes.apply(page)
                if touched:
                    self._on_changed(touched)
            total += len(page.changes)
            if not page.more or page.next <= since:
                break
        return total
