"""How a gateway process stops: unready first, then no new connections, then what has arrived, then the log."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Sequence
from typing import Any

from setpoint.adapters.hang_up import hang_up
from setpoint.gateway.app import App
from setpoint.gateway.wire.http import HttpServer
from setpoint.wiring.gateway_plan import Drain


class Stopping:
    """The signals that stop a process. Make it on its event loop.

    SIGTERM stops it as `Drain` says. SIGINT, of somebody at a terminal, SIGHUP, of one that is gone, and a second
    SIGTERM, skip the delay.

    Args:
        told: Set where a signal came before the event loop listened for it.

    Attributes:
        begun: Set once it shall stop.
    """

    def __init__(self, told: threading.Event) -> None:
        self.begun = asyncio.Event()
        self._hurried = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        for number in (signal.SIGINT, *hang_up()):
            loop.add_signal_handler(number, self._interrupt)
        if told.is_set():
            self._interrupt()

    async def leave(
        self, app: App, server: HttpServer, others: Sequence[Any], drain: Drain
    ) -> None:
        """Stop: answer what has arrived, and write what waits.

        Args:
            app: The application.
            server: Its server for HTTP.
            others: Its further servers, by their `drain`.
            drain: How long it may take.
        """
        app.begin_to_drain()
        server.begin_to_drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain.delay_s):
                await self._hurried.wait()
        await asyncio.gather(*(one.drain(drain.most_s) for one in (server, *others)))
        await app.stop()

    def _terminate(self) -> None:
        if self.begun.is_set():
            self._hurried.set()
        self.begun.set()

    def _interrupt(self) -> None:
        self._hurried.set()
        self.begun.set()
