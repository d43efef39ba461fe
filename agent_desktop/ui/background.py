"""Work off the Qt main thread, results back on it.

``run`` is the one way a window calls a service; ``Relay`` is the one way a service's news reaches a window. Both are
safe when the window has gone in the meantime: the result is dropped.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, Qt, QThreadPool, Signal

from agent_desktop.services.listeners import Listeners

T = TypeVar("T")
log = logging.getLogger(__name__)


class _Delivery(QObject):
    """Carries one result from the pool to the main thread. A child of the application, so that no worker deletes it."""

    arrived = Signal(object, object)

    def __init__(self, deliver: Callable[[object, Exception | None], None]) -> None:
        super().__init__(QCoreApplication.instance())
        self._deliver = deliver
        self.arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    def _on_arrived(self, result: object, error: Exception | None) -> None:
        self.deleteLater()
        self._deliver(result, error)


def run(
    work: Callable[[], T],
    on_done: Callable[[T], object] | None = None,
    on_error: Callable[[Exception], object] | None = None,
    *,
    owner: QObject | None = None,
) -> None:
    """Call ``work`` in a thread pool, then ``on_done(result)`` or ``on_error(exception)`` on the Qt main thread.

    ``owner`` is the object that the handlers touch (found by itself when a handler is one of its methods): once it is
    destroyed, they are not called. An error without ``on_error`` is logged. Call from the Qt main thread.
    """
    receiver = owner or _owner_of(on_done) or _owner_of(on_error)

    def deliver(result: T, error: Exception | None) -> None:
        if receiver is not None and not shiboken6.isValid(receiver):
            return
        if error is None:
            if on_done is not None:
                on_done(result)
        elif on_error is not None:
            on_error(error)
        else:
            log.error("background work failed: %s", type(error).__name__, exc_info=error)

    delivery = _Delivery(deliver)  # type: ignore[arg-type]

    def job() -> None:
        result: T | None = None
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:
            failure = error
        try:
            delivery.arrived.emit(result, failure)
        except RuntimeError:  # the application has gone
            log.debug("result dropped: no application")

    QThreadPool.globalInstance().start(job)


def _owner_of(handler: object) -> QObject | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, QObject) else None


class Latest:
    """Background reads of which only the newest answer counts: a slow early answer never overwrites a later one."""

    def __init__(self, owner: QObject) -> None:
        self._owner = owner
        self._number = 0

    def run(
        self,
        work: Callable[[], T],
        on_done: Callable[[T], object],
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        """As ``background.run``; drops the answers of earlier calls."""
        self._number += 1
        mine = self._number

        def done(result: T) -> None:
            if mine == self._number:
                on_done(result)

        def failed(error: Exception) -> None:
            if mine != self._number:
                return
            if on_error is not None:
                on_error(error)
            else:
                log.error("background read failed: %s", type(error).__name__, exc_info=error)

        run(work, done, failed, owner=self._owner)

    def forget(self) -> None:
        """Drop the answer that is still under way."""
        self._number += 1


class Serial:
    """Background work in the order asked for, one at a time: for writes that must not overtake each other."""

    def __init__(self, owner: QObject) -> None:
        self._owner = owner
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False

    @property
    def idle(self) -> bool:
        return not self._busy and not self._waiting

    def run(
        self,
        work: Callable[[], T],
        on_done: Callable[[T], object] | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        """As ``background.run``, after everything asked for before has ended."""

        def start() -> None:
            run(work, done, failed, owner=self._owner)

        def done(result: T) -> None:
            self._next()
            if on_done is not None:
                on_done(result)

        def failed(error: Exception) -> None:
            self._next()
            if on_error is not None:
                on_error(error)
            else:
                log.error("background write failed: %s", type(error).__name__, exc_info=error)

        self._waiting.append(start)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        self._busy = bool(self._waiting)
        if self._waiting:
            self._waiting.popleft()()


class Relay(QObject, Generic[T]):
    """Joins ``Listeners[T]`` and hands each value to ``slot`` on the Qt main thread, in order.

    A child of ``owner``; leaves the listeners when it is destroyed. Make it on the Qt main thread.
    """

    _arrived = Signal(object)

    def __init__(self, listeners: Listeners[T], slot: Callable[[T], object], owner: QObject) -> None:
        super().__init__(owner)
        self._slot = slot
        self._arrived.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        leave = listeners.join(self._post)
        self.destroyed.connect(leave)

    def _post(self, value: T) -> None:
        try:
            self._arrived.emit(value)
        except RuntimeError:  # destroyed between the service's copy of its list and this call
            log.debug("news dropped: the window has gone")

    def _pass_on(self, value: T) -> None:
        self._slot(value)
