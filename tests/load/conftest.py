"""An event loop whose time passes only while it waits: a load of seconds takes milliseconds, the same in each run."""

import asyncio

import pytest

from setpoint.client import Answer


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()
        self.now = 0.0
        look = self._selector.select

        def select(timeout=None):
            found = look(0)
            if not found:
                assert timeout is not None, "everything waits for ever"
                self.now += timeout
            return found

        self._selector.select = select

    def time(self):
        return self.now


@pytest.fixture
def loop():
    made = VirtualLoop()
    yield made
    made.close()


@pytest.fixture(scope="session")
def answer():
    """Make an answer of a version."""

    def made(version="1"):
        return Answer(
            prediction=1,
            prediction_id="p",
            version=version,
            variant="champion",
            contract="c",
            generation=1,
        )

    return made
