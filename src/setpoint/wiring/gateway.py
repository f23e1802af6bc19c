"""Builds and runs one gateway process."""

import asyncio
import gc
import importlib
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from setpoint import __version__
from setpoint.adapters.file_deployments import FileDeployments
from setpoint.adapters.hang_up import hang_up
from setpoint.adapters.parent import die_with
from setpoint.adapters.watched_file import WATCHED, WatchedReader
from setpoint.clock import Clock, SystemClock
from setpoint.errors import JournalError, UnknownPredictionError, UsageError
from setpoint.facts.prediction import Outcome, Prediction
from setpoint.facts.token_rule import TokenRule
from setpoint.gateway.access.access import Access
from setpoint.gateway.access.keys import Keys
from setpoint.gateway.access.tokens import Tokens
from setpoint.gateway.answering import Answering
from setpoint.gateway.app import App
from setpoint.gateway.follow import NO_DOCUMENT, Follower
from setpoint.gateway.ids import PredictionIds
from setpoint.gateway.limits import LimitsInForce
from setpoint.gateway.log_writer import AnswerLog, LogWriter
from setpoint.gateway.models.native import load_native
from setpoint.gateway.models.versions import load_version
from setpoint.gateway.reporting import Reporter
from setpoint.gateway.station import Station
from setpoint.gateway.watching.gauges import Gauges, batch_rows, log_commits
from setpoint.gateway.watching.readings import build_metrics
from setpoint.gateway.watching.siblings import Siblings
from setpoint.gateway.watching.watched_metrics import watched_metrics
from setpoint.gateway.wire.connection import Bounds
from setpoint.gateway.wire.http import HttpServer
from setpoint.wiring.gateway_plan import Drain, GatewayPlan, RemotePlan
from setpoint.wiring.gateway_sources import sources
from setpoint.wiring.grpc_door import GrpcDoor, open_grpc, reserve_grpc
from setpoint.wiring.log_place import LogPlace, lanes_of, make_log, open_answers, secret_of
from setpoint.wiring.open_files import room_for
from setpoint.wiring.shadows import build_shadows
from setpoint.wiring.stopping import Stopping
from setpoint.wiring.watching import build_watch, require_watch
from setpoint.wiring.workers import run_workers

try:
    import uvloop
except ImportError:  # it has no build for Windows
    uvloop = None

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_SHUT_S = 10.0  # how long a worker without a model leaves the requests to its siblings
_BACKLOG = 2048
_COLLECT = (20_000, 50, 100)  # container objects that gather before the collector looks
_SWITCH_S = 0.0001  # the event loop gets the interpreter back from the log writer sooner than after Python's 5 ms


def run_gateway(plan: GatewayPlan) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; then finish the requests, write the log, and return.

    Prints one line with the address when it listens.

    Raises:
        UsageError: The plan names no document and no bundle or both, or the port is taken.
        BundleError: The lone bundle is none.
        JournalError: The prediction log cannot be opened.
    """
    if plan.parent:
        die_with(plan.parent, by=signal.SIGTERM)
    if plan.workers > 1:
        _run_several(plan)
        return
    told = _listen_for_signals()
    clock = SystemClock()
    app = build_app(plan, clock)
    tls = _tls(plan)
    listener = _listen(plan)
    grpc = _reserve_grpc(plan)
    _tell(listener, tls)
    _run(app, Door(listener, tls, plan.drain, grpc=grpc), told)


def _run_several(plan: GatewayPlan) -> None:
    """Serve by several processes, and watch them."""
    log = sources(plan, SystemClock()).log
    if log is not None:
        make_log(log)  # one that cannot be opened is told here, once, and made here, once
    require_watch(plan.access_log, plan.tracing)
    _access(plan, SystemClock())  # what is wrong with it is told here, not by workers that die
    tls = _tls(plan)
    listener = _listen(plan)
    grpc = _reserve_grpc(plan)
    _tell(listener, tls)
    with tempfile.TemporaryDirectory(prefix="setpoint-workers-") as folder:

        def work() -> None:
            told = _listen_for_signals()
            app = build_app(plan, SystemClock(), shared=Path(folder))
            _run(app, Door(listener, tls, plan.drain, shared=True, grpc=grpc), told)

        # What the parent holds open is not refused when the last worker has closed it, and never answered.
        run_workers(plan.workers, work, listener.close)


def _listen_for_signals() -> threading.Event:
    """Note a signal that comes before the event loop listens for it: a parent dies only once."""
    told = threading.Event()
    for number in (*_STOPPING, *hang_up()):
        signal.signal(number, lambda *_: told.set())
    return told


def _reserve_grpc(plan: GatewayPlan) -> GrpcDoor | None:
    """Return the door for gRPC; None where nobody asked for one."""
    if plan.grpc_port is None:
        return None
    return reserve_grpc(plan.host, plan.grpc_port, plan.certificate, plan.private_key)


def _tell(listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    host, port = listener.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    sys.stdout.write(f"setpoint gateway: listening on {scheme}://{host}:{port}\n")
    sys.stdout.flush()


def _tls(plan: GatewayPlan) -> ssl.SSLContext | None:
    """Return how connections are encrypted; None where they are not.

    Raises:
        UsageError: The files are no certificate and its key.
    """
    if plan.certificate is None:
        if plan.private_key is not None:
            raise UsageError("--tls-key needs --tls-cert")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(plan.certificate, plan.private_key)
    except (OSError, ssl.SSLError) as error:
        msg = f"the TLS certificate {plan.certificate} cannot be used: {error}"
        raise UsageError(msg) from error
    return context


@dataclass(frozen=True)
class Door:
    """Where requests come in.

    Args:
        listener: The listening socket.
        tls: How connections are encrypted; None where they are not.
        drain: How it closes.
        shared: Whether other workers listen there too.
        grpc: Where calls over gRPC come in; None where nobody asked for them.
    """

    listener: socket.socket
    tls: ssl.SSLContext | None
    drain: Drain
    shared: bool = False
    grpc: GrpcDoor | None = None


def _run(app: App, door: Door, told: threading.Event) -> None:
    sys.setswitchinterval(_SWITCH_S)
    run = asyncio.run if uvloop is None else uvloop.run
    run(_serve(app, door, told))


async def _serve(app: App, door: Door, told: threading.Event) -> None:
    """Serve until a signal says to stop."""
    stopping = Stopping(told)
    bounds = Bounds(connections=room_for(Bounds().connections))
    server = HttpServer(app.respond, app.limits, bounds, told=app.note, names_peers=app.is_watched)
    app.show_connections(lambda: len(server.connections))
    await app.start()
    if door.shared:
        await _until_it_serves(app, stopping.begun)
    others: list[Any] = []
    if door.grpc is not None:
        others.append(await open_grpc(door.grpc, app))
    # What is there at the start lives as long as the process: the collector need not look at it again, and answers
    # that wait for the log are no reason to look at everything.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    await server.open(door.listener, door.tls)
    await stopping.begun.wait()
    await stopping.leave(app, server, others, door.drain)


async def _until_it_serves(app: App, stop: asyncio.Event) -> None:
    """Wait until a worker can answer, and not long: a request that it refused could have been a sibling's."""
    waits = [asyncio.create_task(event.wait()) for event in (app.settled, stop)]
    await asyncio.wait(waits, timeout=_SHUT_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def build_app(plan: GatewayPlan, clock: Clock, *, shared: Path | None = None) -> App:
    """Return the application of one gateway process.

    Args:
        plan: What it is to be.
        clock: Its clock.
        shared: Folder in which workers of one gateway share their metrics; None for one alone.

    Raises:
        UsageError: The plan names no document and no bundle, or both.
        BundleError: The lone bundle is none.
        JournalError: The prediction log cannot be opened.
    """
    found = sources(plan, clock)
    access = _access(plan, clock)
    documents = found.documents
    log = _open_log(found.log, clock)
    loading = ThreadPoolExecutor(1, thread_name_prefix="load")
    working = ThreadPoolExecutor(max(2, os.cpu_count() or 2), thread_name_prefix="infer")
    limits = LimitsInForce(plan.limits)
    batches, commits = batch_rows(), log_commits()
    writer = LogWriter(log, clock, timed=commits.under(()), lanes=lanes_of(found.log))
    load = partial(
        load_version,
        base=found.base,
        native=load_native if found.pickles else None,
        executor=working,
        secret=bytes if found.log is None else secret_of(found.log, plan.log_key),
        batches=batches,
        limits=limits,
    )
    follower = Follower(
        documents,
        lambda deployed: load(found.bring(deployed)),
        loading,
        clock,
        _teller(plan),
        lambda deployment: limits.follow(deployment.limits),
    )
    siblings = None
    if shared is not None:
        siblings = Siblings(shared, ThreadPoolExecutor(1, thread_name_prefix="metrics"))
    watch, watching = build_watch(plan.access_log, plan.tracing, clock, __version__)
    watched = watched_metrics(WatchedReader(found.base / WATCHED))
    further = [batches, commits, *watching, *watched, *build_metrics(__version__)]
    gauges = Gauges(follower, writer, siblings, further)
    shadows = build_shadows(found.log, follower, clock)
    ids = PredictionIds(clock, os.urandom)
    answering = Answering(ids, clock, writer, gauges, limits, shadows)
    gauges.add(shadows.metrics.all())
    station = Station(
        follower=follower,
        answering=answering,
        writer=writer,
        gauges=gauges,
        clock=clock,
        limits=limits,
        release=__version__,
        access=access,
        shadows=shadows,
    )
    reporter = None
    if isinstance(documents, FileDeployments):
        reporting = ThreadPoolExecutor(1, thread_name_prefix="report")
        reporter = Reporter(_name(), follower, documents, reporting, clock)
    return App(station, reporter, siblings, watch)


def _open_log(place: LogPlace | None, clock: Clock) -> AnswerLog:
    """Return the log; a database that cannot be reached yet is told, and waited for.

    Raises:
        UsageError: What it needs is not installed.
        JournalError: A file cannot be opened.
    """
    if place is None:
        return NoLog()
    log = open_answers(place, clock)
    try:
        log.record(())
    except JournalError as error:
        sys.stderr.write(f"setpoint gateway: {error}; it is tried again\n")
        sys.stderr.flush()
    return log


def _access(plan: GatewayPlan, clock: Clock) -> Access | None:
    """Return who may ask what; None where anybody may ask anything.

    Raises:
        UsageError: The file of keys cannot be read, the issuer of tokens is no address, or PyJWT is not installed.
    """
    if plan.keys is None and plan.oidc is None:
        return None
    tokens = None if plan.oidc is None else _tokens(plan.oidc, clock)
    return Access(clock, keys=None if plan.keys is None else Keys(plan.keys), tokens=tokens)


def _tokens(rule: TokenRule, clock: Clock) -> Tokens:
    """Return the tokens that are taken. Loads PyJWT and cryptography, which no other gateway needs."""
    try:
        adapter = importlib.import_module("setpoint.wiring.oidc")
    except ModuleNotFoundError as error:
        msg = f"tokens need {error.name}: pip install 'setpoint[oidc]'"
        raise UsageError(msg) from error
    tokens: Tokens = adapter.open_tokens(rule, clock)
    return tokens


def _teller(plan: GatewayPlan) -> Callable[[str], None]:
    """Return what tells people, in the error output, why no document or not the newest is in force."""

    def tell(refused: str) -> None:
        place = (
            plan.deployment.address if isinstance(plan.deployment, RemotePlan) else plan.deployment
        )
        words = f"the deployment document is refused: {refused}"
        if refused.startswith(NO_DOCUMENT):
            words = f"waiting for {place}; setpoint run makes it{refused.removeprefix(NO_DOCUMENT)}"
        elif not refused:
            words = "the deployment document is in force"
        sys.stderr.write(f"setpoint gateway: {words}\n")
        sys.stderr.flush()

    return tell


def _name() -> str:
    """Return a name that no other gateway process has, on this machine or another; fit for a file's name."""
    host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname()).strip("-")
    return f"{host or 'gateway'}-{os.getpid()}-{os.urandom(3).hex()}"


class NoLog:
    """Stands where a lone bundle has no log; its document says `off`."""

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Keep nothing."""

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Refuse outcomes: no prediction is known."""
        raise UnknownPredictionError([outcome.prediction for outcome in outcomes])

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:  # noqa: ARG002 - whatever they are
        """Find nothing: no prediction is known."""
        return {}


def _listen(plan: GatewayPlan) -> socket.socket:
    """Return a listening socket.

    Raises:
        UsageError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in plan.host else socket.AF_INET
    try:
        return socket.create_server((plan.host, plan.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        msg = (
            f"cannot listen on {plan.host}:{plan.port}: {error.strerror or error}; "
            "choose another with --port"
        )
        raise UsageError(msg) from error
