"""The client for programs without asyncio: the same calls, each of which waits."""

import asyncio
import contextlib
import os
import ssl
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any, Self, TypeVar

from setpoint.client.answer import Answer, Metadata, Readiness, Recorded
from setpoint.client.async_client import AsyncClient, Row, Value
from setpoint.client.retries import Retries
from setpoint.errors import UsageError

T = TypeVar("T")


class Client:
    """A gateway, as threads see it. Safe to share between threads, in notebooks and in forked processes.

    ```python
    with Client("http://127.0.0.1:8080") as client:
        answer = client.predict({"tenure": 3, "plan": "monthly"})
        client.outcome(answer.prediction_id, "Yes")
    ```

    An event loop on a thread of its own does the work: a notebook has a loop already, and threads that share a client
    must not wait for each other. Arguments, methods and errors are those of `AsyncClient`.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        timeout_s: float = 10.0,
        *,
        retries: Retries | None = None,
        connections: int = 100,
        tls: ssl.SSLContext | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._client = AsyncClient(
            url,
            api_key,
            timeout_s,
            retries=retries,
            connections=connections,
            tls=tls,
            entropy=entropy,
        )
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._closed = False

    def predict(self, row: Row, *, request_id: str = "", version: str = "") -> Answer:
        """Return what a row is answered."""
        return self._wait(self._client.predict(row, request_id=request_id, version=version))

    def predict_many(
        self, rows: Iterable[Row], *, request_id: str = "", version: str = ""
    ) -> list[Answer]:
        """Return what rows are answered, in their order, by as many requests as they need."""
        return self._wait(self._client.predict_many(rows, request_id=request_id, version=version))

    def outcome(self, prediction_id: str, value: Value) -> Recorded:
        """Tell what turned out to be true of an answer; telling the same again changes nothing."""
        return self._wait(self._client.outcome(prediction_id, value))

    def outcomes(self, outcomes: Mapping[str, Value] | Iterable[tuple[str, Value]]) -> Recorded:
        """Tell what turned out to be true of answers, by prediction id."""
        return self._wait(self._client.outcomes(outcomes))

    def ready(self) -> Readiness:
        """Return whether the gateway shall get traffic; that it shall not is an answer and no error."""
        return self._wait(self._client.ready())

    def metadata(self) -> Metadata:
        """Return what the gateway serves: the model, its versions, its inputs."""
        return self._wait(self._client.metadata())

    def close(self) -> None:
        """Close the connections and end the thread."""
        with self._lock:
            thread, self._thread, self._closed = self._thread, None, True
        if thread is not None and thread.is_alive():
            thread.end(self._client.close)
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what a call comes to; an interrupted call is given up."""
        try:
            waiting = self._running().begin(call)
        except UsageError:
            call.close()
            raise
        try:
            return waiting.result()
        except CancelledError:
            raise UsageError("this client was closed before the answer came") from None
        except BaseException:
            waiting.cancel()
            raise

    def _running(self) -> "LoopThread":
        """Return the thread; a new one at first, and in a process that was forked since."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            return thread
        with self._lock:
            if self._closed:
                raise UsageError("this client was closed; make another")
            if self._thread is None or not self._thread.is_alive():
                self._thread = LoopThread()
                self._thread.start()
                # A client that is forgotten takes its thread along; so does the end of the process.
                weakref.finalize(self, self._thread.end, self._client.close)
            return self._thread


class LoopThread(threading.Thread):
    """An event loop on a thread of its own, which ends with the process."""

    def __init__(self) -> None:
        super().__init__(name="setpoint-client", daemon=True)
        self._loop = asyncio.new_event_loop()
        self._ending: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Run the event loop until it is told to end."""
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def begin(self, call: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a call and return the future of what it comes to."""
        return asyncio.run_coroutine_threadsafe(call, self._loop)

    def end(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Give calls under way up, close connections by `close`, end the event loop; nothing is waited for."""
        if self.is_alive():
            with contextlib.suppress(RuntimeError):  # it ended just now
                self._loop.call_soon_threadsafe(self._begin_end, close)

    def _begin_end(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._ending = self._loop.create_task(self._end(close))

    async def _end(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await close()
        self._loop.stop()
