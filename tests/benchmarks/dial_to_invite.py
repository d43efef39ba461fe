"""From the click on 拨打 to the INVITE on the wire."""

from __future__ import annotations

import select
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

LIMITS = {"median_ms": 15.0}


class Wire:
    """Stands between the seat and the practice line and notes when each INVITE passes."""

    def __init__(self) -> None:
        self.invites: list[int] = []
        """CLOCK_MONOTONIC, ns, of each new INVITE."""
        self._near = _socket()
        self._far = _socket()
        self.port = int(self._near.getsockname()[1])
        self.target = ("127.0.0.1", 0)
        self._seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def start(self, target_port: int) -> None:
        self.target = ("127.0.0.1", target_port)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._near.close()
        self._far.close()

    def _carry(self) -> None:
        seat: tuple[str, int] | None = None
        while not self._stop.is_set():
            for ready in select.select([self._near, self._far], [], [], 0.1)[0]:
                data, sender = ready.recvfrom(65536)
                if ready is self._near:
                    seat = sender
                    self._note(data)
                    self._far.sendto(data, self.target)
                elif seat is not None:
                    self._near.sendto(data, seat)

    def _note(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if data.startswith(b"INVITE "):
            call_id = next(line for line in data.split(b"\r\n") if line.lower().startswith(b"call-id"))
            if call_id not in self._seen:
                self._seen.add(call_id)
                self.invites.append(now)


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


def run(*, quick: bool) -> dict[str, Any]:
    """100 clicks (quick: 10) on the dial button of the open case; each call is hung up while it rings."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QAbstractItemView

    from agent_desktop.ui.demo.robot import Robot, let_run, wait_for
    from tests.support.desk_window import DeskWindow

    clicks = 10 if quick else 100
    wire = Wire()
    with tempfile.TemporaryDirectory() as folder:
        desk = DeskWindow(Path(folder), peer=f"127.0.0.1:{wire.port}")
        wire.start(desk.practice.port)
        try:
            robot = Robot(desk.window)
            service = desk.desk.calls
            queue = robot.await_control("queue.list", QAbstractItemView, 20)
            wait_for(lambda: queue.model().rowCount() == 100, "the queue", 20)
            robot.click_row("queue.list", 0)
            table = robot.await_control("contacts.table", QAbstractItemView)
            wait_for(lambda: table.model().rowCount(), "the contacts")
            took = []
            for number in range(clicks + 1):
                button = table.visualRect(table.model().index(0, table.model().columnCount() - 1)).center()
                clicked = time.monotonic_ns()
                QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, button)
                wait_for(lambda n=number: len(wire.invites) > n, "the INVITE")  # type: ignore[misc]
                took.append((wire.invites[number] - clicked) / 1e6)
                up = wait_for(lambda: service.current, "the call")
                service.hang_up(up.id)
                wait_for(lambda: service.current is None, "the call gone", 10)
                let_run(150)
        finally:
            desk.close()
            wire.stop()
    first, took = took[0], took[1:]
    return {
        "median_ms": round(statistics.median(took), 1),
        "max_ms": round(max(took), 1),
        "first_click_ms": round(first, 1),
        "clicks": len(took),
        "limits": LIMITS,
    }
