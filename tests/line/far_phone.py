"""A plain PJSIP phone, none of the engine's code: answers, plays a tone, follows REFER and INVITE with Replaces.

Run as a program with a folder, a tone's frequency and the address to be bound to. Says its port on standard output,
then each call's state, a JSON line each. Takes on standard input, and ends with it: ``dial URI``, ``refer URI``,
``replace URI REPLACES``, ``hang_up``, ``early`` (play before the answer), ``answer``,
``press DIGIT`` (by RFC 4733 and SIP INFO), ``codec NAME`` (from now on this one alone, told to a call that is up by a
re-INVITE). Writes ``heard.wav``. ``440+5000`` is two tones at once, of which the second needs wide band.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from pjsua2 import pjsua2 as pj

from tests.line.sound import tone, write_wav

_SAY = os.dup(1)
"""Standard output; PJSIP's own log, which goes there before it can be told not to, goes nowhere."""


class Phone(pj.Account):  # type: ignore[misc]
    """One account; every call hears the tone and is written to the same file."""

    def __init__(self, folder: Path, frequencies: list[float]) -> None:
        super().__init__()
        self.calls: list[Leg] = []
        self.early = False
        """Play before the answer, and answer when told."""
        write_wav(folder / "tone.wav", sum(tone(f, 16000, 5, 8000 / len(frequencies)) for f in frequencies), 16000)
        self.player, self.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
        self.player.createPlayer(str(folder / "tone.wav"))
        self.recorder.createRecorder(str(folder / "heard.wav"))

    def onIncomingCall(self, prm: Any) -> None:
        leg = Leg(self, prm.callId)
        message = prm.rdata.wholeMsg
        named = [line for line in message.split("\r\n") if line.lower().startswith(("referred-by:", "replaces:"))]
        tell(incoming=named)
        answer_with(leg, 183 if self.early else 200)


class Leg(pj.Call):  # type: ignore[misc]
    def __init__(self, phone: Phone, slot: int = -1) -> None:
        super().__init__(phone, slot)
        self.phone = phone
        phone.calls.append(self)

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        tell(state=info.stateText, code=int(info.lastStatusCode), remote=info.remoteUri)
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED and info.role == pj.PJSIP_ROLE_UAS:
            message = prm.e.body.rxMsg.rdata.wholeMsg  # the ACK
            heads = [line for line in message.split("\r\n") if line.startswith(("Call-ID:", "From:", "To:"))]
            tell(dialog={line.partition(":")[0]: line.rpartition("tag=")[2].rpartition(" ")[2] for line in heads})

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                port = self.getAudioMedia(media.index)
                self.phone.player.startTransmit(port)
                port.startTransmit(self.phone.recorder)

    def onCallTransferRequest(self, prm: Any) -> None:
        tell(refer=prm.dstUri)
        prm.newCall = Leg(self.phone)

    def onCallReplaced(self, prm: Any) -> None:
        tell(replaced=True)
        prm.newCall = Leg(self.phone, prm.newCallId)


def answer_with(leg: Leg, code: int) -> None:
    param = pj.CallOpParam()
    param.statusCode = code
    leg.answer(param)


def tell(**values: Any) -> None:
    os.write(_SAY, json.dumps(values).encode() + b"\n")


def start(endpoint: pj.Endpoint, host: str) -> int:
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libCreate()
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = host
    number = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    return int(endpoint.transportGetInfo(number).localName.rpartition(":")[2])


def obey(order: str, phone: Phone) -> None:
    word, _, rest = order.partition(" ")
    active = [leg for leg in phone.calls if leg.isActive()]
    if word == "dial":
        Leg(phone).makeCall(rest, pj.CallOpParam(True))
    elif word == "refer" and active:
        active[-1].xfer(rest, pj.CallOpParam(True))
    elif word == "replace":  # URI, and what its Replaces says
        uri, replaces = rest.split(" ")
        param = pj.CallOpParam(True)
        header = pj.SipHeader()
        header.hName, header.hValue = "Replaces", replaces
        param.txOption.headers.append(header)
        Leg(phone).makeCall(uri, param)
    elif word == "early":
        phone.early = True
        tell(early=True)
    elif word == "answer" and active:
        answer_with(active[-1], 200)
    elif word == "press" and active:  # a digit both ways, as some gateways do
        active[-1].dialDtmf(rest)
        param = pj.CallSendDtmfParam()
        param.method, param.digits, param.duration = pj.PJSUA_DTMF_METHOD_SIP_INFO, rest, 160
        active[-1].sendDtmf(param)
    elif word == "hang_up":
        for leg in active:
            leg.hangup(pj.CallOpParam(True))


def use_codec(endpoint: pj.Endpoint, name: str, phone: Phone) -> None:
    for codec in endpoint.codecEnum2():
        endpoint.codecSetPriority(codec.codecId, 250 if codec.codecId.startswith(f"{name}/") else 0)
    for leg in phone.calls:
        if leg.isActive():
            leg.reinvite(pj.CallOpParam(True))
    tell(codec=name)


def _listen(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        orders.put(line)
    orders.put("")


def main() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    folder, frequencies = Path(sys.argv[1]), [float(text) for text in sys.argv[2].split("+")]
    endpoint = pj.Endpoint()
    host = sys.argv[3]
    port = start(endpoint, host)
    phone = Phone(folder, frequencies)
    account = pj.AccountConfig()
    account.idUri = f"sip:phone@{host}:{port}"
    account.mediaConfig.transportConfig.boundAddress = host
    phone.create(account)
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    tell(port=port)
    while True:
        endpoint.libHandleEvents(10)
        if orders.empty():
            continue
        order = orders.get().strip()
        if not order:
            break
        if order.startswith("codec "):
            use_codec(endpoint, order.split()[1], phone)
        else:
            obey(order, phone)
    phone.calls.clear()
    endpoint.audDevManager().setNoDev()
    del phone.player, phone.recorder
    phone.shutdown()
    endpoint.libDestroy()


if __name__ == "__main__":
    main()
