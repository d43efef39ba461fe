"""What is around the demo's seats, and the seats: server, practice line, three people with throw-away keys."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent_desktop.config import resources_dir
from agent_desktop.demo.auditor import Auditor
from agent_desktop.demo.embedded import COLLECTOR, DATA_OFFICER, LEAD, PASSWORD, QA, EmbeddedServer
from agent_desktop.seat import LINE_ID, sign_in_work
from agent_desktop.services.desk import Desk
from agent_desktop.services.line_supervisor import start_line
from agent_desktop.services.sign_in import SeatLine, SeatSettings, SignIn, ThrowAwayKeys
from agent_desktop.ui.sign_in import SignIn as SignInWork
from recorder.evidence import EvidenceError, verify_receipt
from telephony.messages import AudioConfig, LineConfig
from telephony.practice.client import PracticeLine

HOST = "127.0.0.1"
LEFT_BEHIND = ("report.json", "*.png", "*.ogg", "lead-heard.wav")
"""What an earlier demo may have left in the folder; nothing else in it is touched."""


class DemoStage:
    """Starts and ends everything; ``folder`` (build/demo) is what it leaves behind."""

    def __init__(self, folder: Path, audio: Callable[[str], AudioConfig]) -> None:
        self.folder = folder
        self._audio = audio
        self._work = Path(tempfile.mkdtemp(prefix="agent-desktop-demo-"))
        self._server = EmbeddedServer(self._work / "server")
        self._practice = PracticeLine(resources_dir() / "sounds", log=self._work / "practice.log")
        self._collector_port = _free_udp_port()
        self._auditors: dict[str, Auditor] = {}

    @property
    def server_url(self) -> str:
        return self._server.url

    def start(self) -> None:
        """Raises ``EmbeddedServerError`` or ``PracticeError``. Takes some seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for pattern in LEFT_BEHIND:
            for old in self.folder.glob(pattern):
                old.unlink()
        self._server.start()
        self._practice.start()

    def stop(self) -> None:
        """After the desks were closed; may be called twice."""
        self._practice.stop()
        self._server.stop()
        shutil.rmtree(self._work, ignore_errors=True)

    def sign_in(self, login: str) -> SignInWork:
        """The work behind the sign-in window of one person's seat."""
        return sign_in_work(SignIn(self._settings(login), ThrowAwayKeys(), start_line))

    def debtor_calls(self, number: str) -> None:
        """Let the simulated debtor call the collector's line."""
        self._practice.call_in(number, f"{HOST}:{self._collector_port}")

    def debtor_hangs_up(self) -> None:
        self._practice.hang_up()

    def note_on_server(self, case_id: str, text: str) -> bool:
        """Asked by the lead's own session."""
        return self._auditor(LEAD).has_note(case_id, text)

    def call_on_server(self, case_id: str, call_id: str) -> bool:
        return self._auditor(LEAD).has_call(case_id, call_id)

    def receipt_verified(self, recording_id: str) -> bool:
        """Whether the store's receipt is on the seat, with a good signature for the very file that was uploaded."""
        kept = self._kept(recording_id)
        if kept is None:
            return False
        manifest = kept["manifest"]
        try:
            verify_receipt(
                kept["receipt"],
                self._auditor(QA).receipt_key,
                recording_id=recording_id,
                sha256=str(manifest["sha256"]),
                size=int(str(manifest["size"])),
            )
        except EvidenceError:
            return False
        return True

    def lost_frames(self, recording_id: str) -> int:
        """As the seat's signed manifest says; −1 when there is none."""
        kept = self._kept(recording_id)
        return int(str(kept["manifest"]["lost_frames"])) if kept else -1

    def export(self, recording_id: str) -> Path:
        """Save the recording, as the server gives it to the data officer, in the demo's folder."""
        path = self.folder / f"{recording_id}.ogg"
        self._auditor(DATA_OFFICER).export(recording_id, path)
        return path

    def _kept(self, recording_id: str) -> dict[str, dict[str, object]] | None:
        path = self._work / COLLECTOR / "spool" / "receipts" / f"{recording_id}.json"
        if not path.exists():
            return None
        kept: dict[str, dict[str, object]] = json.loads(path.read_bytes())
        return kept

    def _auditor(self, login: str) -> Auditor:
        if login not in self._auditors:
            self._auditors[login] = Auditor(self.server_url, login, PASSWORD)
        return self._auditors[login]

    def _settings(self, login: str) -> SeatSettings:
        has_line = login != QA
        line = LineConfig(LINE_ID, "1001" if login == COLLECTOR else "1000", login, peer=self._practice.peer)
        return SeatSettings(
            server_url=self.server_url,
            data_dir=self._work / login,
            lines=(SeatLine(line),) if has_line else (),
            audio=self._audio(login),
            local_host=HOST,
            local_port=self._collector_port if login == COLLECTOR else 0,
        )


def close_desks(desks: list[Desk]) -> None:
    """Close every desk; for the end of the demo."""
    for desk in desks:
        desk.close()


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
