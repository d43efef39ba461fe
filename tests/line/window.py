"""A window without a window: the desktop's own services over a real line process, for tests that kill it.

Run as a program; standard input has the line's setup, then one JSON object: ``store``, ``key``, ``agent_id``, ``acks``.
Prints each change of a call; obeys orders, one JSON object a line.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent_desktop.domain.number_places import NumberPlaces
from agent_desktop.services.call_records import CallRecords
from agent_desktop.services.call_tracker import CallTracker
from agent_desktop.services.call_views import CallView
from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.context import DeskContext
from agent_desktop.services.line_commands import LineCommands
from agent_desktop.services.line_port import LineSetup
from agent_desktop.services.line_roster import LineRoster, SeatLine
from agent_desktop.services.line_supervisor import LineSupervisor
from agent_desktop.services.record_receipts import RecordReceipts
from agent_desktop.store.store import Store
from telephony.messages import CallIncoming, GetSnapshot
from tests.support.call_room import Api
from tests.support.desk_data import ME

_printing = threading.Lock()


def say(**what: Any) -> None:
    with _printing:
        print(json.dumps(what), flush=True)


def main() -> None:
    setup = LineSetup.from_json(sys.stdin.readline())
    options = json.loads(sys.stdin.readline())
    store = Store(Path(options["store"]), bytes.fromhex(options["key"]))
    places = NumberPlaces()
    places.warm_up()
    context = DeskContext(
        user=replace(ME, id=options["agent_id"]),
        store=store,
        api=Api(),  # type: ignore[arg-type]
        lines=LineRoster([SeatLine(line) for line in setup.lines]),
        places=places,
    )
    commands = LineCommands()
    receipts = RecordReceipts(commands)
    records = CallRecords(context, receipts.kept if options["acks"] else lambda call_ids: None)
    tracker = CallTracker(context, CaseService(context), records, unseen_end_s=1.0)
    calls = CallService(context, tracker, commands)
    calls.changed.join(_tell)
    started = time.monotonic()
    line = LineSupervisor(setup)
    line.events.join(lambda event: say(incoming=event.call_id) if isinstance(event, CallIncoming) else None)
    line.lost.join(lambda reason: say(lost=reason, at=time.monotonic()))
    line.start()
    calls.use_line(line)
    say(ready=True, starts=line.starts, s=time.monotonic() - started)
    for text in sys.stdin:
        _obey(json.loads(text), calls, commands, store)


def _tell(view: CallView) -> None:
    say(call=view.id, state=view.state, cause=view.cause, recording=view.recording_id, at=time.monotonic())


def _obey(order: dict[str, Any], calls: CallService, commands: LineCommands, store: Store) -> None:
    if "dial" in order:
        say(dialled=calls.dial_number(order["dial"]))
    elif "answer" in order:
        calls.answer(order["answer"])
    elif "hang_up" in order:
        calls.hang_up(order["hang_up"])
    elif "records" in order:
        say(records=[o.data for o in store.outbox.waiting(99) if o.kind == "call.add"])
    elif "unacknowledged" in order:
        say(unacknowledged=[e["call_id"] for e in commands.request(GetSnapshot)["ended"]])


if __name__ == "__main__":
    main()
