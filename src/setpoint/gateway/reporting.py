"""Reports to control which document this gateway follows and what it cannot serve, beside the requests.

Rules:
1. A report is made when something changed, and every few seconds, so that one of a gateway that died grows old.
2. It is written on a thread of its own: no request and no answer of the log waits for it.
3. A report that cannot be written stops nothing; it is tried again with the next one.
"""

import asyncio
import sys
from concurrent.futures import Executor
from typing import Protocol

from setpoint.clock import Clock
from setpoint.errors import DeploymentError
from setpoint.facts.gateway_report import GatewayReport
from setpoint.gateway.follow import Follower

_POLL_S = 0.1
_BEAT_S = 5.0


class Reports(Protocol):
    """Where reports go."""

    def report(self, report: GatewayReport) -> None:
        """Keep what a gateway reports, or raise `DeploymentError`."""

    def withdraw(self, gateway: str) -> None:
        """Forget what a gateway reported, or raise `DeploymentError`."""


class Reporter:
    """The reporter of one gateway process.

    Args:
        name: Names the process among all gateways.
        follower: Knows what is served.
        reports: Where reports go.
        executor: A thread apart from the event loop.
        clock: Stamps reports and paces them.
    """

    def __init__(
        self, name: str, follower: Follower, reports: Reports, executor: Executor, clock: Clock
    ) -> None:
        self._name = name
        self._follower = follower
        self._reports = reports
        self._executor = executor
        self._clock = clock
        self._told: GatewayReport | None = None
        self._due_at = 0.0
        self._failure = ""

    async def run(self, poll_s: float = _POLL_S) -> None:
        """Report until cancelled, looking every `poll_s` seconds for something new."""
        while True:
            await self.look()
            await asyncio.sleep(poll_s)

    async def look(self) -> None:
        """Look once; report where something changed, or nothing was reported for a while."""
        now = self._clock.stopwatch()
        told = self._told
        found = self._report(0.0 if told is None else told.at)
        if found == told and now < self._due_at:
            return
        self._due_at = now + _BEAT_S
        report = self._report(self._clock.wall())
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, self._reports.report, report)
        except Exception as error:  # noqa: BLE001 (the task's outermost frame: the next report is tried all the same)
            self._tell(str(error))
        else:
            self._failure = ""
        self._told = report  # even if it failed: the next one is due with the next beat

    async def withdraw(self) -> None:
        """Take the report away: this gateway ends."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, self._reports.withdraw, self._name)
        except DeploymentError as error:
            self._tell(str(error))

    def _report(self, at: float) -> GatewayReport:
        follower = self._follower
        return GatewayReport(
            gateway=self._name,
            at=at,
            generation=follower.generation,
            ready=follower.ready,
            refused={str(version): reason for version, reason in follower.failures.items()},
            problem=follower.problem,
        )

    def _tell(self, failure: str) -> None:
        """Tell a failure once, in the error output."""
        if failure != self._failure:
            sys.stderr.write(
                f"setpoint gateway: control does not hear of this gateway: {failure}\n"
            )
        self._failure = failure
