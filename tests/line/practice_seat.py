"""A seat for the practice line's tests: an engine whose headset is a file, and a tap that keeps both sides.

Run as a program with a folder, a microphone file and the practice line's ``host:port``. Commands of the line
protocol come as JSON lines on standard input, events go as JSON lines to standard output. Ends with its
standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from telephony.audio.files import FileHeadset
from telephony.engine import Engine
from telephony.errors import CommandError
from telephony.interfaces import CallFacts, Json
from telephony.messages import AddLine, Command, Levels, LineConfig, decode, encode
from telephony.settings import EngineSettings


class BothSides:
    """Keeps the frames of a call and writes them as two raw files when it ends."""

    def __init__(self, folder: Path, call: CallFacts) -> None:
        self._folder, self._rate = folder, call.rate
        self._sides: tuple[list[bytes], list[bytes]] = ([], [])

    def frames(self, start: int, agent: bytes | None, far: bytes | None) -> None:
        silence = bytes(self._rate // 50 * 2)
        for side, pcm in zip(self._sides, (agent, far), strict=True):
            side.append(pcm or silence)

    def event(self, kind: str, detail: Mapping[str, Json]) -> None:
        """Not kept."""

    def close(self, cause: str) -> None:
        for name, side in zip(("agent", "far"), self._sides, strict=True):
            (self._folder / f"{name}.{self._rate}.raw").write_bytes(b"".join(side))


def main() -> None:
    folder, microphone, peer = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    def publish(event: object) -> None:
        if not isinstance(event, Levels):
            print(encode(event).decode(), flush=True)  # type: ignore[arg-type]

    sys.setswitchinterval(0.0005)
    headset = FileHeadset(Path(microphone) if microphone else None, folder / "speaker.wav")
    engine = Engine(EngineSettings(), headset, lambda call: BothSides(folder, call), None, publish)
    port = engine.start()[1]
    engine.submit(AddLine("", LineConfig("l1", "", "1001", peer))).result(5)
    print(json.dumps({"port": port}), flush=True)
    for line in sys.stdin:
        command = decode(line)
        assert isinstance(command, Command)
        try:
            engine.submit(command).result(5)
        except CommandError as error:
            print(json.dumps({"refused": error.code}), flush=True)
    engine.stop()


if __name__ == "__main__":
    main()
