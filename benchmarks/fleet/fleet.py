"""Let a fleet live for some hours, and count."""

from __future__ import annotations

import random
from collections import Counter
from typing import NamedTuple

from benchmarks.fleet.simulated_node import SimulatedNode
from benchmarks.fleet.simulated_sts import QUOTA, Outage, SimulatedSts
from benchmarks.fleet.simulated_time import SimulatedTime
from benchmarks.fleet.workers import BotocoreWorker, OurWorker
from botocore_conn_provider.renewal.start_spread import place_node


class Fleet(NamedTuple):
    """How many workers, and what happens to them."""

    nodes: int
    workers: int
    hours: float
    outage: Outage | None = None
    seed: int = 1
    quota: float = QUOTA
    spread_seconds: float = 0.0
    """`start_spread_seconds` of ours."""


class Told(NamedTuple):
    """What was counted."""

    asked: Counter[int]
    refused: Counter[int]
    tried: Counter[int]
    failures: int
    """How often a worker was raised an error."""

    def count_asked(self, begins: float, ends: float) -> int:
        """Return how often STS was asked between these moments."""
        return sum(n for second, n in self.asked.items() if begins <= second < ends)

    def find_peak(self, begins: float, ends: float) -> int:
        """Return how often within any one second of these."""
        within = (n for second, n in self.asked.items() if begins <= second < ends)
        return max(within, default=0)

    def multiply(self, by: int) -> Told:
        """Return it for a fleet that is so many times as large."""
        asked, refused, tried = (
            Counter({second: by * n for second, n in each.items()})
            for each in (self.asked, self.refused, self.tried)
        )
        return Told(asked, refused, tried, by * self.failures)


def live(fleet: Fleet, *, ours: bool) -> Told:
    """Return what a fleet asks; the same each time for the same fleet."""
    uniform = random.Random(fleet.seed).uniform  # noqa: S311 - it repeats itself
    time = SimulatedTime()
    sts = SimulatedSts(time, uniform, quota=fleet.quota, outage=fleet.outage)
    nodes = [
        SimulatedNode(time, uniform, delay=fleet.spread_seconds * place_node([str(n)]))
        for n in range(fleet.nodes)
    ]
    workers: list[OurWorker | BotocoreWorker] = [
        OurWorker(time, sts, node=nodes[number % fleet.nodes], uniform=uniform)
        if ours
        else BotocoreWorker(time, sts, uniform=uniform)
        for number in range(fleet.workers)
    ]
    time.run(fleet.hours * 3600)
    failures = sum(worker.failures for worker in workers)
    return Told(sts.asked, sts.refused, sts.tried, failures)
