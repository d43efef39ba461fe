"""A program: starts and stops the media clock many times beside open media sockets; says what came of it, as JSON.

Arguments: whose clock it is, ``own`` or ``device``, and how often.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from telephony.bridge import Bridge
from telephony.endpoint import Library
from telephony.settings import EngineSettings
from tests.line.tap_probe import Keep, NoiseHeadset, turn

ENOUGH = 3
"""Frames that show that the clock ran."""


def main() -> None:
    library = Library(EngineSettings(own_clock=sys.argv[1] == "own"))
    library.start()
    bridge = Bridge(NoiseHeadset(), library.drive)
    ports, keep, clock = bridge.take_tap(16000), Keep(), library.drive.clock
    bridge.route(bridge.headset, ports.agent, True)
    ports.stream.attach(keep, lambda *levels: None)
    late, dead = 0, 0
    for _ in range(int(sys.argv[2])):
        clock.start()
        before, patience = len(keep.kept), time.monotonic() + 5
        while len(keep.kept) < before + ENOUGH and time.monotonic() < patience:
            turn(library, 0.01)
        clock.stop()
        at_stop = len(keep.kept)
        dead += at_stop < before + ENOUGH
        time.sleep(0.05)
        late += len(keep.kept) - at_stop
    threads = threading.active_count()
    clock.stop()  # harmless
    bridge.close()
    del ports  # pjsua2's go before the library
    library.stop()
    print(json.dumps({"late": late, "dead": dead, "threads": threads, "runs": clock.runs}))


if __name__ == "__main__":
    main()
