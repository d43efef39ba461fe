"""Who hears whom: connects calls' ports with the headset, with each other and with their taps. Engine thread only."""

from __future__ import annotations

from collections.abc import Iterable

from telephony.bridge import Bridge
from telephony.live_call import LiveCall
from telephony.media import TapPorts


def wire(bridge: Bridge, calls: Iterable[LiveCall]) -> None:
    """Make the bridge's connections those that these calls, all that are up, should have; safe to repeat."""
    calls = tuple(calls)
    bridge.sound.in_use = any(not call.ended_here for call in calls)
    alone = _alone(calls)
    if alone is not None:
        bridge.sound.tap = alone.stream  # before its ports are parted, so that no tick is lost
    for call in calls:
        if not call.ended_here:
            _wire_one(bridge, call)
            _wire_tap(bridge, call, call.tap is alone)
            _join(bridge, call, [other for other in calls if other is not call])
    if alone is None:
        bridge.sound.tap = None  # once its ports are connected, likewise


def _alone(calls: tuple[LiveCall, ...]) -> TapPorts | None:
    """The tap of the only call that has to do with the headset."""
    there = [call for call in calls if call.media is not None or call.tap is not None]
    if len(there) != 1 or there[0].ended_here or there[0].tap is None:
        return None
    return there[0].tap if there[0].tap.suits_headset else None


def unwire(bridge: Bridge, call: LiveCall, others: Iterable[LiveCall]) -> None:
    """Disconnect what outlives the call: all that goes to its tap. PJSIP disconnects the call's own port."""
    if call.tap is not None and call.tap.on_bridge:
        bridge.route(bridge.headset, call.tap.agent, False)
        for other in others:
            if other is not call and other.media is not None:
                bridge.route(other.media, call.tap.agent, False)
    call.media = None


def _wire_one(bridge: Bridge, call: LiveCall) -> None:
    voice_out, voice_in = call.voice_out, call.voice_in
    if call.media is not None:
        bridge.route(bridge.headset, call.media, voice_out)
        bridge.route(call.media, bridge.headset, voice_in)
    if call.tap is not None:
        call.tap.stream.microphone_on = voice_out
        call.tap.stream.far_on = voice_in


def _wire_tap(bridge: Bridge, call: LiveCall, alone: bool) -> None:
    """The tap's own ports, unless the headset's does for them."""
    if call.tap is None or (alone and not call.tap.on_bridge):
        return
    bridge.route(bridge.headset, call.tap.agent, call.voice_out and not alone)
    if call.media is not None:
        bridge.route(call.media, call.tap.far, call.voice_in and not alone)


def _join(bridge: Bridge, call: LiveCall, others: list[LiveCall]) -> None:
    """What the other party says goes to this far end, and beside the agent's voice on to its tape."""
    others_on = False
    for other in others:
        joined = call.hears_others and other.conference and other.voice_in and not other.ended_here
        others_on = others_on or joined
        if other.media is None or other.ended_here:
            continue
        if call.media is not None:
            bridge.route(other.media, call.media, joined)
        if call.tap is not None:
            bridge.route(other.media, call.tap.agent, joined)
    if call.tap is not None:
        call.tap.stream.others_on = others_on
