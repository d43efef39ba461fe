"""When the bridge's ticks are due: beside packets, after being held up, and always true to the clock."""

from __future__ import annotations

import random

import pytest

from telephony.lost_ticks import LostTicks
from telephony.tick_times import TICK_NS, TickTimes

MS = 1_000_000


class World:
    """A clock of its own that hands packets to the ticks as the media clock's thread does."""

    def __init__(self) -> None:
        self.now = 1_000 * MS
        self.start = self.now
        self.times = TickTimes(self.now)
        self.ticks: list[int] = []
        self.early = 0
        self.packets: list[int] = []

    def run(self, seconds: float) -> None:
        end = self.now + int(seconds * 1e9)
        while self.now < end:
            at = self.packets[0] if self.packets else end
            if at < self.times.due:
                self.now = max(self.now, at)
                if not self.packets or not self.times.arrived(self.packets.pop(0)):
                    continue
                self.early += 1
            else:
                self.now = max(self.now, self.times.due)
                self.times.done(self.now)
            self.ticks.append(self.now)

    def send(self, first_ms: float, every_ns: int, seconds: float, jitter_ms: float = 0.0) -> None:
        """Packets to come."""
        chance = random.Random(1)
        count = int(seconds * 1e9) // every_ns
        offsets = (int(chance.uniform(0, jitter_ms) * MS) for _ in range(count))
        at = self.now + int(first_ms * MS)
        self.packets = sorted(self.packets + [at + k * every_ns + off for k, off in enumerate(offsets)])

    @property
    def away_ms(self) -> float:
        """The farthest that a tick's time, in order, was from every 20 ms of the clock."""
        return max(abs(at - self.start - (k + 1) * TICK_NS) for k, at in enumerate(self.ticks)) / MS


def test_without_packets_every_twenty_milliseconds() -> None:
    world = World()
    world.run(10)
    assert {b - a for a, b in zip(world.ticks, world.ticks[1:], strict=False)} == {TICK_NS}


@pytest.mark.parametrize("phase", [0.5, 4.0, 9.0, 11.0, 16.0, 19.5])
def test_ticks_come_to_follow_packets_at_once(phase: float) -> None:
    world = World()
    world.send(phase, TICK_NS, 12, jitter_ms=1.0)
    world.run(2)
    settled, before = len(world.ticks), world.early
    world.run(9.5)
    assert world.early - before > 0.98 * (len(world.ticks) - settled)
    assert world.away_ms <= 16


def test_a_far_end_whose_clock_drifts_never_draws_ours_away() -> None:
    world = World()
    world.send(5.0, TICK_NS + 4_000, 3600)  # 200 ppm
    world.run(3590)
    assert world.away_ms <= 16
    assert abs(len(world.ticks) - 3590 * 50) <= 1
    assert world.early > 0.9 * len(world.ticks)
    assert max(b - a for a, b in zip(world.ticks, world.ticks[1:], strict=False)) < 27 * MS


def test_two_far_ends_are_no_reason_to_wander_for_ever() -> None:
    world = World()
    world.send(2.0, TICK_NS, 60)
    world.send(12.0, TICK_NS, 60)
    world.run(55)
    assert world.away_ms <= 16
    assert len(world.ticks) == 55 * 50


def test_an_echo_of_our_own_ticks_is_given_up() -> None:
    """A far end that answers each packet of ours at once can never be met."""
    times, now = TickTimes(0), 0
    moved = []
    for _ in range(2000):
        assert not times.arrived(now + MS)
        due = times.due
        now = due
        times.done(now)
        moved.append(times.due - due != TICK_NS)
    assert sum(moved) <= 101
    assert not any(moved[200:])


@pytest.mark.parametrize(("held_ms", "lost"), [(15, 0), (300, 0), (500, 0), (521, 26), (900, 45), (5000, 250)])
def test_held_up(held_ms: int, lost: int) -> None:
    times = TickTimes(0)
    now = times.due + held_ms * MS
    assert times.done(now) == lost
    made_up = 0
    while times.due <= now:
        assert times.done(now) == 0
        made_up += 1
    assert made_up <= 25
    assert abs(1 + lost + made_up - now // TICK_NS) <= 1


@pytest.mark.parametrize(("held_ms", "lost"), [(300, 0), (900, 45)])
def test_ticks_that_another_clock_gave_up_are_counted(held_ms: int, lost: int) -> None:
    """PJMEDIA's clock makes up for half a second, and beyond that goes on from now."""
    ticks, now, told = LostTicks(), 1_000 * MS, []
    for _ in range(50):
        told.append(ticks.tick(now))
        now += TICK_NS
    now += held_ms * MS
    if held_ms < 500:
        told += [ticks.tick(now) for _ in range(held_ms // 20)]
    for _ in range(50):
        now += TICK_NS
        told.append(ticks.tick(now))
    assert sum(told) == pytest.approx(lost, abs=1)
