"""Connects one call's port with the headset and its tap, by what the call's state allows. Engine thread only."""

from __future__ import annotations

from telephony.bridge import Bridge
from telephony.live_call import LiveCall


def wire(bridge: Bridge, call: LiveCall) -> None:
    """Make the bridge's connections those that the call should have; safe to repeat."""
    bridge.headset.in_use = True
    voice_out, voice_in = call.voice_out, call.voice_in
    if call.media is not None:
        bridge.route(bridge.headset, call.media, voice_out)
        bridge.route(call.media, bridge.headset, voice_in)
    if call.tap is None:
        return
    bridge.route(bridge.headset, call.tap.agent, voice_out)
    if call.media is not None:
        bridge.route(call.media, call.tap.far, voice_in)
    call.tap.stream.microphone_on = voice_out
    call.tap.stream.far_on = voice_in


def unwire(bridge: Bridge, call: LiveCall) -> None:
    """Disconnect what outlives the call: the headset from the tap's ports. PJSIP disconnects the call's own port."""
    bridge.headset.in_use = False
    if call.tap is not None:
        bridge.route(bridge.headset, call.tap.agent, False)
    call.media = None
