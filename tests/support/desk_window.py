"""A collector's real window on a real server, line process and practice line, with as many local cases as wanted."""

from __future__ import annotations

import socket
import uuid
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication

from agent_desktop.domain.models import Case
from agent_desktop.domain.sync import Change, ChangePage
from agent_desktop.seat import LINE_ID
from agent_desktop.services.desk import Desk
from agent_desktop.services.line_supervisor import start_line
from agent_desktop.services.sign_in import SeatLine, SeatSettings, SignIn, ThrowAwayKeys
from agent_desktop.store.store import Store
from agent_desktop.sync.http import CollectionApi
from agent_desktop.ui.application import make_application
from agent_desktop.ui.demo.robot import wait_for
from agent_desktop.ui.preferences import Preferences
from agent_desktop.ui.window import MainWindow
from telephony.messages import AudioConfig, LineConfig
from telephony.practice.client import PracticeLine
from tests.support.desk_data import make_call, make_case, make_contact, make_note
from tests.support.lines import COLLECTOR, SOUNDS
from tests.support.server import DEMO_PASSWORD, RunningServer, start_server

LOGIN = "liting"


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def number_of(index: int) -> str:
    """E.164 number of the invented debtor ``index``; in no demo case."""
    return f"+86139{index:08d}"


class DeskWindow:
    """Everything a collector has, running. ``close`` ends all of it. Qt main thread."""

    def __init__(self, folder: Path, *, cases: int = 0, peer: str = "", audio: AudioConfig | None = None) -> None:
        self.app = QApplication.instance() or make_application(None)[0]
        assert isinstance(self.app, QApplication)
        Preferences(None, language="zh_CN", theme="light").apply(self.app)
        self.server: RunningServer = start_server(folder)
        self.practice = PracticeLine(SOUNDS)
        self.practice.start()
        self.sip_port = free_udp_port()
        keys = ThrowAwayKeys()
        settings = SeatSettings(
            server_url=self.server.url,
            data_dir=folder / "seat",
            lines=(SeatLine(LineConfig(LINE_ID, "1001", "1001", peer=peer or self.practice.peer)),),
            audio=audio or AudioConfig("files", str(COLLECTOR)),
            local_host="127.0.0.1",
            local_port=self.sip_port,
        )
        if cases:
            self._fill(settings, keys, cases)
        self.desk: Desk = SignIn(settings, keys, start_line).sign_in(LOGIN, DEMO_PASSWORD)
        self.window = MainWindow(self.desk, preferences=Preferences(None))
        self.window.show()
        wait_for(lambda: self.desk.status.now.line_state == "ready", "the line ready", 30)

    @property
    def peer(self) -> str:
        """Where the collector's line can be called."""
        return f"127.0.0.1:{self.sip_port}"

    def close(self) -> None:
        self.window.close()
        self.desk.close()
        self.practice.stop()
        self.server.stop()

    def _fill(self, settings: SeatSettings, keys: ThrowAwayKeys, count: int) -> None:
        """Cases with two contacts, five notes and five calls each, put into the store as a synchronisation would."""
        seat = keys.load()
        api = CollectionApi(settings.server_url)
        user = api.sign_in(LOGIN, DEMO_PASSWORD, seat.seat_id, seat.public_key).user
        api.sign_out()
        api.close()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        store = Store(settings.data_dir / f"desk-{uuid.UUID(user.id)}.db", seat.store_key)
        for start in range(0, count, 500):
            items = [item for index in range(start, min(count, start + 500)) for item in _one_case(index, user.id)]
            changes = tuple(Change(0, kind, item.id, item) for kind, item in items)
            store.changes.apply(ChangePage(changes, 0, False))
        store.close()


def _one_case(index: int, owner: str) -> list[tuple[str, object]]:
    case: Case = replace(make_case(number=f"BN-{index:06d}"), owner_id=owner)
    own = make_contact(case, number_of(index))
    other = make_contact(case, f"+86137{index:08d}")
    notes = [make_note(case, contact_id=own.id, text=f"第 {index} 案第 {n} 次:称工资 23 日到账") for n in range(5)]
    calls = [make_call(case, contact_id=own.id, number=own.number) for _ in range(5)]
    return [
        ("case", case),
        ("contact", own),
        ("contact", other),
        *(("note", note) for note in notes),
        *(("call", call) for call in calls),
    ]
