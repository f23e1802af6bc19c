"""The world that the loop runs in: live, replayed or simulated. Only this differs between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from setpoint.clock import Clock
from setpoint.control.rows import LabelledRows
from setpoint.facts.signal import Signal
from setpoint.facts.version import Lineage
from setpoint.ports.bundles import Bundles
from setpoint.ports.deployments import Deployments
from setpoint.ports.jobs import Jobs
from setpoint.ports.journal import Journal
from setpoint.ports.registry import Registry
from setpoint.ports.scorer import Scorer
from setpoint.ports.tables import Tables
from setpoint.ports.traffic import Traffic


@dataclass(frozen=True)
class World:
    """The ports of one world.

    Args:
        clock: The loop's time.
        journal: State and ledger.
        registry: Runs, versions, aliases.
        jobs: Does the fits.
        tables: Stored tables.
        bundles: Released bundles.
        deployments: What gateways serve.
        traffic: What versions answered, with the outcomes known so far.
        scorer: Answers of a version to a table.
        rows: Reads the labelled rows of the world; called once a pass.
        lineage: Code and packages that a fit runs with; snapshot and contract are filled in by the loop.
        wall_clock: Whether seconds mean something here: a replay has no latency to measure.
        notice: Told what happens, for progress.
        looked: Told the signals of each window that was looked at, for pictures.
    """

    clock: Clock
    journal: Journal
    registry: Registry
    jobs: Jobs
    tables: Tables
    bundles: Bundles
    deployments: Deployments
    traffic: Traffic
    scorer: Scorer
    rows: Callable[[], LabelledRows]
    lineage: Callable[[], Lineage]
    wall_clock: bool = True
    notice: Callable[[str], None] = field(default=lambda _: None)
    looked: Callable[[Mapping[str, Signal]], None] = field(default=lambda _: None)
