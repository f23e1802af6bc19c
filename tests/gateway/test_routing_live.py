"""Documents of every strategy in real gateway processes under load: nobody is failed, mixed up, or counted wrongly."""

import asyncio
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chisquare

from setpoint.adapters.log.shadow_file import shadow_file
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.store import Stretch
from setpoint.adapters.log.traffic import LogTraffic
from setpoint.client import AsyncClient, Retries
from setpoint.clock import SystemClock
from setpoint.facts.deployment import Shadow
from setpoint.load.back_to_back import send_rows
from setpoint.training.model import Form


@pytest.fixture
def served(project, models):
    """A project with three versions: 1 and 3 answer alike, 2 the opposite."""
    project.add(1)
    project.add(2)
    project.add(3, models[1])
    return project


async def ready(client):
    for _ in range(500):
        if await client.ready():
            return
        await asyncio.sleep(0.02)
    pytest.fail("the gateway did not get ready")


def load(gateway, rows, beside=None):
    """Send rows, 8 at a time, while something else goes on; return the answers."""

    async def go():
        async with AsyncClient(gateway.url, retries=Retries(most=0)) as client:
            await ready(client)
            going = asyncio.create_task(beside()) if beside else None
            sent = await send_rows(client, rows(going), clock=SystemClock(), concurrency=8)
            if going is not None:
                await going
            return sent

    sent = asyncio.run(go())
    assert {one.status for one in sent} == {200}
    return [one.answer for one in sent]


def customers(row, least=0):
    """Return a stream of rows that goes on while the load's other half does."""

    def rows(going):
        number = 0
        while number < least or (going is not None and not going.done()):
            yield row | {"customer_id": number}
            number += 1
        yield from (row | {"customer_id": number + n} for n in range(40))

    return rows


def logged(project):
    """Return what the log has of every answer."""
    with SqliteLog(project.folder / "log.db") as log:
        columns = ("id", "version", "generation", "propensity", "variant")
        return log.read(Stretch("at", 0.0, 1e12), columns).to_pylist()


def test_blue_gives_way_to_green_and_back_under_load(served, start_gateway, row):
    """Both stay prepared; each switch is one document, and every request ends on the version it began."""
    blue, green = {1: 1.0, 2: 0.0}, {1: 0.0, 2: 1.0}
    served.deploy(1, blue, strategy="blue_green")
    gateway = start_gateway()

    async def switch():
        for generation in range(2, 8):
            await asyncio.sleep(0.12)
            to = green if generation % 2 == 0 else blue
            served.deploy(generation, to, champion=1, strategy="blue_green")
        await asyncio.sleep(0.2)

    answers = load(gateway, customers(row, 300), switch)
    assert {one.generation for one in answers} == set(range(1, 8))
    for one in answers:
        expected = 2 if one.generation % 2 == 0 else 1
        assert (one.version, one.prediction) == (str(expected), 2 - expected)
    assert gateway.terminate() == (0, "")
    assert {one.prediction_id: one.generation for one in answers} == {
        line["id"]: line["generation"] for line in logged(served)
    }


def test_three_arms_get_their_weights_and_keep_their_customers(served, start_gateway, row):
    weights = {1: 0.5, 2: 0.3, 3: 0.2}
    served.deploy(1, weights, strategy="ab", sticky="customer_id", salt="t")
    gateway = start_gateway()
    first = load(gateway, customers(row, 1500))
    arms = [int(one.version) for one in first]
    found = Counter(arms)
    expected = [share * len(arms) for share in weights.values()]
    assert chisquare([found[arm] for arm in weights], expected).pvalue > 1e-6
    again = load(gateway, customers(row, 1500))
    assert [int(one.version) for one in again] == arms

    async def reweigh():
        served.deploy(2, {1: 0.4, 2: 0.36, 3: 0.24}, strategy="ab", sticky="customer_id", salt="t")
        await asyncio.sleep(0.4)

    load(gateway, customers(row), reweigh)
    after = [int(one.version) for one in load(gateway, customers(row, 1500))]
    moved = [(old, new) for old, new in zip(arms, after, strict=True) if old != new]
    assert {old for old, _ in moved} == {1}  # 2 and 3 keep their proportions
    assert abs(len(moved) / len(arms) - 0.1) < 0.04


def test_bandits_weights_that_change_all_the_time_are_logged_as_they_were(
    served, start_gateway, row
):
    rng = np.random.default_rng(5)
    published = {1: {1: 0.4, 2: 0.3, 3: 0.3}}
    served.deploy(1, published[1], strategy="bandit", sticky="customer_id", salt="b")
    gateway = start_gateway(workers=2)

    async def reweigh():
        for generation in range(2, 14):
            await asyncio.sleep(0.1)
            cut = rng.dirichlet([2.0, 2.0, 2.0]) * 0.85 + 0.05  # an exposure floor
            weights = {arm: float(share) for arm, share in zip((1, 2, 3), cut, strict=True)}
            weights[3] = 1.0 - weights[1] - weights[2]
            published[generation] = weights
            served.deploy(generation, weights, strategy="bandit", sticky="customer_id", salt="b")

    answers = load(gateway, customers(row, 300), reweigh)
    assert len({one.generation for one in answers}) >= 10
    gateway.terminate()
    lines = logged(served)
    assert {one["id"] for one in lines} == {one.prediction_id for one in answers}
    for line in lines:
        assert line["propensity"] == published[line["generation"]][line["version"]]
        assert line["variant"] == ("champion" if line["version"] == 1 else "challenger")
    # Weighing each answer by one over its propensity gives every arm all of the traffic.
    for arm in (1, 2, 3):
        whole = sum(1 / line["propensity"] for line in lines if line["version"] == arm)
        assert abs(whole / len(lines) - 1.0) < 0.35


class Known:
    """What the versions answer, without their bundles."""

    form = Form("binary", (), ("No", "Yes"), 0.5)

    def model(self, _artifact):
        return self


def test_shadows_of_a_gateway_under_load_are_whole_and_tied_to_their_live_answers(
    served, start_gateway, row
):
    served.deploy(1, {1: 1.0}, shadows=(Shadow(version=2), Shadow(version=3, fraction=0.5)))
    gateway = start_gateway(workers=2)  # they open the shadows' log at the same moment

    async def wait():
        await asyncio.sleep(1.0)

    answers = load(gateway, customers(row, 400), wait)
    asyncio.run(asyncio.sleep(0.5))
    assert gateway.terminate() == (0, "")
    path = served.folder / "log.db"
    with SqliteLog(path) as log, SqliteLog(shadow_file(path)) as shadows:
        assert log.span()[2] == len(answers)
        read = LogTraffic(log, Known(), str, axis="time", shadows=lambda: shadows)
        opposite, alike = (read.shadowed(version, 0.0, 1e12) for version in (2, 3))
        assert pa.compute.unique(shadows.window(0.0, 1e12)["variant"]).to_pylist() == ["shadow"]
    # Under load copies may be dropped; what was asked is compared to the last row.
    assert 0 < opposite.compared <= len(answers)
    assert opposite.compared == opposite.shadow.requests == opposite.live.requests
    assert (opposite.agreed, alike.agreed) == (0, alike.compared)
    assert alike.differences.max() == 0.0
    assert 0 < alike.compared < opposite.compared
