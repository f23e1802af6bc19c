"""Builds the process of `setpoint up`: the loop in the foreground, a gateway beside it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from setpoint.adapters.file_source import FileSource
from setpoint.adapters.hang_up import hang_up
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.clock import SystemClock
from setpoint.contract.contract import Contract
from setpoint.control.reconcile import current, settle
from setpoint.control.releasing import publish
from setpoint.control.run import RunWish, run
from setpoint.errors import SetpointError, StaleStateError, UsageError
from setpoint.facts.decision import Decision
from setpoint.settings import Settings
from setpoint.wiring.live import Live, open_live
from setpoint.wiring.log_removal import Retention
from setpoint.wiring.offline import Offline

_DRAIN_S = 35.0  # longer than a gateway takes to finish its requests


@dataclass(frozen=True)
class UpPlan:
    """What `up` is to run.

    Args:
        contract: The contract in force.
        project: Folder of the project.
        settings: What the environment says.
        host: Address of the gateway.
        port: Port of the gateway; 0 takes a spare one.
        every_s: Seconds between two passes.
        told: Told each decision, and each error of a pass.
    """

    contract: Contract
    project: Path
    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8080
    every_s: float = 5.0
    told: Callable[[str], None] = lambda _: None


def run_up(plan: UpPlan) -> None:
    """Keep production where the contract says, until SIGTERM, SIGINT or SIGHUP; then stop the gateway and return.

    Raises:
        SetpointError: The first version cannot be made, the deployment document cannot be written, or the gateway
            cannot start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, *hang_up()):
        signal.signal(number, lambda *_: stop.set())
    _require_free(plan.host, plan.port)
    retain = Retention(_offline(plan), SystemClock(), plan.told)
    plan.told(
        f"{plan.contract.model.name}: gateway on http://{plan.host}:{plan.port}, "
        f"a pass every {plan.every_s:g} s; stop with Ctrl-C"
    )
    with open_live(plan.contract, plan.project, plan.settings) as live:
        live.warm()
        _first(plan, live)
        _publish(plan, live)
        gateway = start_gateway(plan.settings.store, host=plan.host, port=plan.port)
        plan.told(f"the gateway listens on {gateway.url}")
        try:
            while not stop.is_set():
                look(plan, live)
                tidy(plan, live)
                retain()
                if not stop.is_set():
                    gateway = revived(plan, gateway)
                stop.wait(plan.every_s)
        finally:
            stop_gateway(gateway)


def _require_free(host: str, port: int) -> None:
    """Refuse a port that somebody listens on, before anything is fitted or said.

    Raises:
        UsageError: It cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        msg = (
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with --port"
        )
        raise UsageError(msg) from error


def look(plan: UpPlan, live: Live) -> list[Decision]:
    """Let the loop settle once. An error of this pass is told; the next pass tries again.

    First the document is made what the state says: where the last pass died before that, a fit that is due now may take
    hours, and a registry that cannot be reached stops every pass.
    """
    try:
        _publish(plan, live)
        decisions = settle(live.world, plan.contract)
    except StaleStateError:
        return []  # somebody else committed; the next pass sees what they did
    except SetpointError as error:
        plan.told(f"this pass failed, the next one tries again: {error}")
        return []
    except Exception as error:  # noqa: BLE001 (the loop's outermost frame: its defect must not end the gateway)
        traceback.print_exc(file=sys.stderr)
        plan.told(f"this pass failed by a defect of Setpoint's: {type(error).__name__}: {error}")
        return []
    for decision in decisions:
        plan.told(f"{decision.id} {decision.action}: {decision.reason}")
    return decisions


def tidy(plan: UpPlan, live: Live) -> None:
    """Move the answers of one hour that is over into a Parquet file, live ones and shadows' ones.

    Where no hour is over this costs a look at an index.
    """
    try:
        for log in (live.log, live.shadows()):
            if log is not None:
                log.compact(live.world.clock.wall(), most=1)
    except SetpointError as error:
        plan.told(f"answers stay where they are, the next pass tries again: {error}")


def _offline(plan: UpPlan) -> Offline:
    journal = SqlJournal(plan.settings.database, plan.contract.model.name)
    return Offline(plan.contract, plan.settings, journal, plan.project)


def _publish(plan: UpPlan, live: Live) -> None:
    state, _ = current(live.world, plan.contract)
    publish(live.world, state)


@dataclass(frozen=True)
class Gateway:
    """A gateway process that listens.

    Args:
        process: The process.
        url: Its address.
    """

    process: "subprocess.Popen[str]"
    url: str


def start_gateway(store: Path, *, host: str, port: int) -> Gateway:
    """Start a gateway that follows the store's deployment document, and wait until it listens.

    Raises:
        UsageError: It cannot listen there.
    """
    command = [sys.executable, "-m", "setpoint", "gateway"]
    command += ["--deployment", str(store / "deployment.json"), "--host", host]
    command += ["--port", str(port), "--parent", str(os.getpid())]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=store.parent
    )
    line = process.stdout.readline() if process.stdout is not None else ""
    if "listening on" not in line:
        process.communicate()
        msg = f"the gateway did not start on {host}:{port} (code {process.returncode})"
        raise UsageError(msg)
    return Gateway(process, line.rpartition(" ")[2].strip())


def revived(plan: UpPlan, gateway: Gateway) -> Gateway:
    """Return the gateway, started again where it ended. Where that fails the next pass tries again."""
    ended = gateway.process.poll()
    if ended is None:
        return gateway
    plan.told(f"the gateway ended with code {ended}; it is started again")
    try:
        new = start_gateway(plan.settings.store, host=plan.host, port=plan.port)
    except SetpointError as error:
        plan.told(f"the next pass tries again: {error}")
        return gateway
    stop_gateway(gateway)
    plan.told(f"the gateway listens on {new.url}")
    return new


def stop_gateway(gateway: Gateway) -> None:
    """Let a gateway finish its requests and end it."""
    process = gateway.process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_DRAIN_S)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _first(plan: UpPlan, live: Live) -> None:
    """Make the first version where production is on none."""
    state, _ = current(live.world, plan.contract)
    if state.champion:
        return
    section = plan.contract.require_data()
    source = FileSource(section.source, folder=plan.project, form=section.format)
    result = run(live.world, plan.contract, RunWish(source.fingerprint(), live.lock))
    plan.told(result.reason)
    if not result.champion:
        msg = f"there is no version to serve: {result.reason}"
        raise UsageError(msg)
