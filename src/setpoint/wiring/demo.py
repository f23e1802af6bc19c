"""Builds the demo: a generated business replayed over two years, then served live through good and bad releases."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from setpoint.client.async_client import AsyncClient
from setpoint.client.retries import Retries
from setpoint.clock import SystemClock
from setpoint.contract.contract import Contract
from setpoint.contract.parse import parse
from setpoint.control.reconcile import settle
from setpoint.control.run import RunWish, run
from setpoint.errors import UsageError
from setpoint.facts.decision import Decision
from setpoint.facts.replay import Replay
from setpoint.facts.run import RunResult
from setpoint.ledger.verify import verify
from setpoint.load.back_to_back import send_rows
from setpoint.reports.replay_page import replay_page
from setpoint.settings import Settings
from setpoint.wiring.live import Live, open_live
from setpoint.wiring.project import ProjectPlan, make_project
from setpoint.wiring.replay import ReplayWish, run_replay
from setpoint.wiring.up import Gateway, start_gateway, stop_gateway
from setpoint.worlds.broken import BRITTLE, shuffled_labels
from setpoint.worlds.subscription import LiveRow, live_rows, subscription_table
from setpoint.worlds.subscription_contract import subscription_contract

SEED = 7
_BATCH = 250  # requests between two looks of the loop
_MOST = 6_000  # requests of one release, at most
_EARLY = 0.45  # share of the history that the first version learns from
_MARK = ".setpoint-demo"
_VETERANS = 0.1  # share of customers who stayed longer than any in training


@dataclass(frozen=True)
class DemoPlan:
    """Where and how the demo plays.

    Args:
        folder: Folder of its own; made anew.
        told: Told what happens, as a heading and a sentence.
        threads: Threads that a large fit may take.
    """

    folder: Path
    told: Callable[[str, str], None]
    threads: int = 2


@dataclass
class LivePart:
    """What the live part came to.

    Args:
        requests: Requests that were sent.
        failed: Requests that got no answer.
        failed_before: Those of them before the bad release.
        champion: Version that production is on at the end.
        ledger: What checking the hash chain came to.
        decisions: Decisions of the loop.
    """

    requests: int = 0
    failed: int = 0
    failed_before: int = 0
    champion: int = 0
    ledger: str = ""
    decisions: list[Decision] = field(default_factory=list)


def learn(plan: DemoPlan) -> pa.Table:
    """Generate the business, draft a contract from it as `setpoint init` does, and return the history.

    Raises:
        UsageError: The folder holds something that is not an earlier demo's.
    """
    _clear(plan.folder)
    source = plan.folder / "data" / "subscription.parquet"
    source.parent.mkdir(parents=True)
    history = subscription_table(SEED)
    pq.write_table(history, source)
    drafted = make_project(
        ProjectPlan(
            folder=plan.folder / "drafted",
            table=source,
            target="churned",
            time="event_time",
            key="customer_id",
            rows=4000,
        )
    )
    gates = "; ".join(gate.subject for gate in drafted.contract.gates)
    columns = len(drafted.contract.require_data().columns)
    plan.told("learn", f"drafted a contract from 4,000 rows: {columns} columns; gates {gates}")
    return history


def _clear(folder: Path) -> None:
    """Make the folder anew, if it is an earlier demo's or holds nothing: people's own files stay."""
    mark = folder / _MARK
    if folder.exists() and not mark.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is there already and is no earlier demo; name another folder with --dir"
        raise UsageError(msg)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.write_text("made by setpoint demo, which may remove this folder\n", encoding="utf-8")


def replay_history(
    plan: DemoPlan, progress: Callable[[int, int, str], None]
) -> tuple[Replay, Path]:
    """Replay the business's own contract over two years, and write the report."""
    source = plan.folder / "data" / "subscription.parquet"
    wish = ReplayWish(
        contract=parse(subscription_contract(str(source))),
        data=None,
        folder=plan.folder,
        store=plan.folder / ".setpoint",
        start="4000",
        batch="7d",
        threads=plan.threads,
        progress=progress,
    )
    found = run_replay(wish)
    report = plan.folder / "replay.html"
    report.write_text(replay_page(found), encoding="utf-8")
    return found, report


def live(plan: DemoPlan, history: pa.Table) -> LivePart:
    """Play the live part: a gateway on loopback, and the loop beside it.

    Raises:
        UsageError: Some part of it did not go as it must.
    """
    result = LivePart()
    _Live(plan, history, result).play()
    return result


class _Live:
    """The live part: a gateway on loopback, and the loop beside it."""

    def __init__(self, plan: DemoPlan, history: pa.Table, result: LivePart) -> None:
        self._plan = plan
        self._history = history
        self._result = result
        self._folder = plan.folder / "live"
        self._source = self._folder / "data" / "subscription.parquet"
        self._source.parent.mkdir(parents=True)
        self._settings = Settings(store=self._folder / ".setpoint")
        self._contract = parse(subscription_contract(strategy="canary"))

    def play(self) -> None:
        """First version, a better one by canary, a broken candidate, a bad release."""
        early = self._history.slice(0, int(self._history.num_rows * _EARLY))
        first = self._pass("first version", self._contract, early)
        self._require("the first version was refused", first, holds=bool(first.champion))
        gateway = start_gateway(self._settings.store, host="127.0.0.1", port=0)
        try:
            self._plan.told("gateway", f"answers on {gateway.url}")
            self._better(gateway)
            self._broken()
            self._result.failed_before = self._result.failed
            self._bad(gateway)
        finally:
            stop_gateway(gateway)
        self._look_up()

    def _better(self, gateway: Gateway) -> None:
        """More data, with a billing bug in it that validation finds; accepted, it makes a better version."""
        bugged = self._pass("a year later", self._contract, self._history)
        self._require("the billing bug was not found", bugged, holds=bugged.blocked is not None)
        better = self._pass("accepted", self._contract, self._history, accept=("nulls",))
        self._require("the second version was refused", better, holds=better.verdict == "pass")
        self._release(self._contract, gateway, live_rows(SEED, _MOST), until="promote")

    def _broken(self) -> None:
        shuffled = shuffled_labels(self._history, "churned", SEED)
        found = self._pass("a broken candidate", self._contract, shuffled)
        self._require("a broken candidate passed", found, holds=found.verdict != "pass")

    def _bad(self, gateway: Gateway) -> None:
        """A version that no gate can fault, and that fails on what customers do next."""
        brittle = parse(_brittle(subscription_contract(strategy="canary")))
        found = self._pass("a bad release", brittle, self._history)
        self._require("the brittle version was refused", found, holds=found.verdict == "pass")
        rows = live_rows(SEED + 1, _MOST, veterans=_VETERANS)
        self._release(brittle, gateway, rows, until="roll_back")

    def _look_up(self) -> None:
        with self._open(self._contract) as opened:
            state, _ = opened.world.journal.load()
            checked = verify(opened.world.journal.entries(), opened.world.journal.head())
        self._result.ledger = f"{checked.entries} entries, {checked.ruling}"
        self._result.champion = 0 if state is None else state.champion

    def _open(self, contract: Contract) -> Live:
        return open_live(contract, self._folder, self._settings)

    def _pass(
        self, what: str, contract: Contract, table: pa.Table, accept: tuple[str, ...] = ()
    ) -> RunResult:
        """Write a table as the source and make one pass, as `setpoint run` does."""
        pq.write_table(table, self._source)
        with self._open(contract) as opened:
            opened.warm()
            found = run(opened.world, contract, RunWish(what, opened.lock, accept))
        self._plan.told(what, f"{found.verdict}: {found.reason}")
        return found

    def _release(
        self, contract: Contract, gateway: Gateway, rows: list[LiveRow], *, until: str
    ) -> None:
        """Send requests while the loop looks, until it promotes or rolls back."""
        with self._open(contract) as opened:
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                asyncio.run(self._send(gateway.url, batch))
                decisions = settle(opened.world, contract)
                self._result.decisions.extend(decisions)
                for decision in decisions:
                    self._plan.told(decision.action, decision.reason)
                if any(decision.action == until for decision in decisions):
                    return
        msg = f"after {len(rows):,} requests the loop had not come to {until!r}"
        raise UsageError(msg)

    async def _send(self, url: str, batch: list[LiveRow]) -> None:
        requests = [{**row.features, "customer_id": row.key} for row in batch]
        # Nothing is sent twice: a request that fails is what the loop shall see.
        async with AsyncClient(url, retries=Retries(most=0)) as client:
            sent = await send_rows(client, requests, clock=SystemClock(), concurrency=4)
            await client.outcomes(
                {one.answer.prediction_id: batch[one.number].truth for one in sent if one.answer}
            )
        self._result.requests += len(sent)
        self._result.failed += sum(1 for one in sent if one.error)

    def _require(self, what: str, found: RunResult, *, holds: bool) -> None:
        if not holds:
            msg = f"{what}: {found.reason}"
            raise UsageError(msg)


def _brittle(text: str) -> str:
    """Return the contract with the brittle estimator, and a gate that asks it only not to be worse."""
    return text.replace("estimator: auto", f"estimator: {BRITTLE}").replace(
        "beats_champion: 1%", "not_worse_by: 3%"
    )
