"""Lines that register: against a real Kamailio with digest authentication, over UDP and TCP."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telephony.errors import LineError
from telephony.messages import (
    AddLine,
    Answer,
    CallIncoming,
    GetSnapshot,
    HangUp,
    LineConfig,
    LineState,
    RemoveLine,
)
from tests.line.parts import LineProcess, end_process, free_port, wait_until

Lines = Callable[..., LineProcess]

PASSWORD = "secret"

CONFIG = """
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 120)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route() || is_method("ACK|BYE")) {{ t_relay(); }}
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    if ($fU == "banned") {{ sl_send_reply("403", "Forbidden"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("lab", "secret", "0")) {{ www_challenge("lab", "0"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("lab", "secret", "0")) {{ proxy_challenge("lab", "0"); exit; }}
        consume_credentials();
        record_route();
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    }}
    t_relay();
}}
"""


class Registrar:
    """A Kamailio that knows every user by the password ``secret``."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        config = folder / "kamailio.cfg"
        config.write_text(CONFIG.format(port=self.port))
        self._log = (folder / "kamailio.log").open("wb")
        command = [
            "kamailio",
            "-f",
            str(config),
            "-DD",
            "-E",
            "-m",
            "16",
            "-M",
            "4",
            "-Y",
            str(folder),
            "-w",
            str(folder),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            wait_until(self._answers, 8)
        except AssertionError:
            self.stop()
            raise AssertionError((folder / "kamailio.log").read_text()) from None

    def stop(self) -> None:
        end_process(self._process)
        self._log.close()

    def _answers(self) -> bool:
        wanted = f":{self.port:04X}"
        rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
        return any(row.split()[1].endswith(wanted) and row.split()[3] == "0A" for row in rows)


@pytest.fixture
def registrar(tmp_path: Path) -> Iterator[Registrar]:
    assert shutil.which("kamailio"), "kamailio is in installer/debian-packages.txt"
    folder = tmp_path / "kamailio"
    folder.mkdir()
    started = Registrar(folder)
    yield started
    started.stop()


def register(line: LineProcess, port: int, user: str, password: str = PASSWORD, transport: str = "udp") -> None:
    config = LineConfig("l1", user, user, f"127.0.0.1:{port}", True, user, password, transport)
    assert line.client.request(AddLine("", config))["state"] == "registering"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_call_through_the_registrar(line_process: Lines, registrar: Registrar, transport: str) -> None:
    agent, far = line_process("agent"), line_process("far")
    for process, user in ((agent, "1001"), (far, "1002")):
        register(process, registrar.port, user, transport=transport)
        state = process.wait(LineState, lambda e: e.state != "registering")
        assert (state.state, state.sip_code) == ("registered", 200)
    call_id = agent.dial("1002")
    ringing = far.wait(CallIncoming)
    assert (ringing.number, ringing.dialled) == ("1001", "1002")
    far.client.request(Answer("", ringing.call_id))
    agent.state("active")
    far.state("active")
    time.sleep(0.4)
    far.client.request(HangUp("", ringing.call_id))
    record = agent.ended()
    assert (record.cause, record.call_id) == ("far_hung_up", call_id)
    assert record.quality["rx_packets"] > 5
    agent.dial("1999")
    assert agent.ended().cause == "not_found"


def test_removing_a_line_unregisters_it(line_process: Lines, registrar: Registrar) -> None:
    agent, far = line_process("agent"), line_process("far")
    for process, user in ((agent, "1001"), (far, "1002")):
        register(process, registrar.port, user)
        process.wait(LineState, lambda e: e.state == "registered")
    far.client.request(RemoveLine("", "l1"))
    assert far.wait(LineState).state == "removed"
    assert far.client.request(GetSnapshot(""))["lines"] == []

    def gone() -> bool:
        agent.dial("1002")
        return agent.ended().cause == "not_found"

    wait_until(gone, 3)


@pytest.mark.parametrize(("user", "password", "codes"), [("1001", "wrong", {401, 403}), ("banned", "secret", {403})])
def test_a_registrar_that_refuses(
    line: LineProcess, registrar: Registrar, user: str, password: str, codes: set[int]
) -> None:
    register(line, registrar.port, user, password)
    state = line.wait(LineState, lambda e: e.state != "registering")
    assert state.state == "failed"
    assert state.sip_code in codes
    with pytest.raises(LineError) as refused:
        line.dial("1002")
    assert refused.value.code == "line_not_ready"
    right = LineConfig("l1", "1001", "1001", f"127.0.0.1:{registrar.port}", True, "1001", "secret")
    line.client.request(AddLine("", right))
    line.wait(LineState, lambda e: e.state == "registered")


def test_lines_that_cannot_be(line: LineProcess) -> None:
    for config in (
        LineConfig("l1", "n", "agent", "no port here:x"),
        LineConfig("l1", "n", "agent", "127.0.0.1:70000"),
        LineConfig("l1", "n", "a b", "127.0.0.1:5060"),
        LineConfig("l1", "n", "agent", "127.0.0.1:5060", transport="sctp"),
        LineConfig("", "n", "agent", "127.0.0.1:5060"),
    ):
        with pytest.raises(LineError) as refused:
            line.client.request(AddLine("", config))
        assert refused.value.code == "bad_message", config
    assert line.client.request(GetSnapshot(""))["lines"] == []
