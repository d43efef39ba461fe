"""Sending the outbox: in batches, again and again until the server has said that it has each operation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from agent_desktop.domain.sync import Operation, OperationResult
from agent_desktop.services.errors import DeskError, Problem
from agent_desktop.store.sync_state import OutboxStore

log = logging.getLogger(__name__)

BATCH = 50


class OperationsApi(Protocol):
    """Where operations go; ``CollectionApi`` is one."""

    def send(self, operations: Sequence[Operation]) -> list[OperationResult]: ...


class OutboxSender:
    """At least once, in order; a repeat is harmless because ids are made here and never change."""

    def __init__(self, outbox: OutboxStore, api: OperationsApi) -> None:
        self._outbox = outbox
        self._api = api

    def send_all(self) -> int:
        """Send until nothing waits; returns how many were settled. Raises ``DeskError``; what is left stays."""
        settled = 0
        while batch := self._outbox.waiting(BATCH):
            settled += self._send(batch)
        return settled

    def _send(self, batch: list[Operation]) -> int:
        try:
            answers = self._api.send(batch)
        except DeskError as error:
            if error.problem is not Problem.BAD_REQUEST:
                raise
            return self._divide(batch, error)
        asked = {operation.id for operation in batch}
        results = [r for r in answers if r.id in asked and r.status in ("done", "repeated", "refused")]
        if not results:
            raise DeskError(Problem.SERVER_ERROR, "no result for any operation")
        for result in results:
            if result.status == "refused":
                log.warning("operation %s refused: %s", result.id, result.code)
        self._outbox.settle(results)
        return len(results)

    def _divide(self, batch: list[Operation], error: DeskError) -> int:
        """One operation that the server cannot read must not hold up the others for ever: find it by halves."""
        if len(batch) == 1:
            log.warning("operation %s cannot be read by the server: %s", batch[0].id, error.detail)
            self._outbox.settle([OperationResult(batch[0].id, "refused", "bad_request")])
            return 1
        middle = len(batch) // 2
        return self._send(batch[:middle]) + self._send(batch[middle:])
