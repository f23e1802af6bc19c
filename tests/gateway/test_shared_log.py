"""Gateways that share a log in PostgreSQL: nothing acknowledged is lost, whoever dies."""

import asyncio

import pytest
from tests.real_parts import started_postgres

from setpoint.adapters.log.postgres_log import PostgresLog
from setpoint.adapters.postgres_address import read_address
from setpoint.client import AsyncClient, Client, Retries
from setpoint.client.failures import ClientError
from setpoint.clock import SystemClock
from setpoint.load.back_to_back import send_rows


@pytest.fixture(scope="module")
def server():
    """Give a server that tests may stop."""
    with started_postgres() as started:
        yield started


def logged(url):
    with PostgresLog(read_address(url), SystemClock()) as log:
        return log.window(0.0, 1e12)


def ready(client, wait_until):
    wait_until(client.ready)


async def load(url, rows):
    async with AsyncClient(url, retries=Retries(most=0)) as client:
        for _ in range(1000):
            if await client.ready():
                break
            await asyncio.sleep(0.02)
        return await send_rows(client, rows, clock=SystemClock(), concurrency=8)


def given(sent):
    return {one.answer.prediction_id for one in sent if one.answer}


def test_gateways_and_their_outcomes_meet_in_one_log(
    project, start_gateway, server, row, wait_until
):
    url = server.database()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    first, second = (start_gateway(log=url) for _ in range(2))
    with Client(first.url) as one, Client(second.url) as other:
        for client in (one, other):
            wait_until(client.ready)
        answers = [(one, other)[n % 2].predict(row | {"customer_id": f"C-{n}"}) for n in range(10)]
        # What one answered, the other is told the truth of; the key is looked up in the log of both.
        for number, answer in enumerate(answers):
            (other if number % 2 == 0 else one).outcome(answer.prediction_id, "Yes")
        with pytest.raises(ClientError, match="already known"):
            one.outcome(answers[0].prediction_id, "No")
    found = logged(url)
    assert sorted(found["id"].to_pylist()) == sorted(one.prediction_id for one in answers)
    assert set(found["outcome"].to_pylist()) == {"Yes"}


def test_kill_9_of_a_gateway_loses_no_acknowledged_answer(project, start_gateway, server, row):
    url = server.database()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    acknowledged = set()
    for kill in range(2):
        gateways = [start_gateway(log=url) for _ in range(2)]

        def rows(gateway=gateways[0], after=60 + 70 * kill):
            for number in range(after + 10):
                if number == after:
                    gateway.kill()
                yield row

        async def both(gateways=gateways, rows=rows):
            return await asyncio.gather(
                load(gateways[0].url, rows()), load(gateways[1].url, [row] * 100)
            )

        struck, spared = asyncio.run(both())
        assert len(given(struck)) >= 50
        assert any(one.status == 0 for one in struck)
        assert len(given(spared)) == 100
        acknowledged |= given(struck) | given(spared)
    assert acknowledged <= set(logged(url)["id"].to_pylist())


@pytest.mark.parametrize("kill", [True, False])
def test_database_that_goes_away_is_503_and_comes_back(
    project, start_gateway, server, row, wait_until, kill
):
    url = server.database()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    gateway = start_gateway(log=url)
    with Client(gateway.url, retries=Retries(most=0)) as client:
        wait_until(client.ready)
        before = client.predict(row)
        server.stop(kill=kill)
        try:
            with pytest.raises(ClientError) as error:
                client.predict(row)
            assert error.value.status == 503
            assert "cannot" in str(error.value)
            assert not client.ready()
        finally:
            server.start()

        def answers():
            try:
                return client.predict(row)
            except ClientError:
                return None

        after = None

        def came_back():
            nonlocal after
            after = answers()
            return after is not None

        wait_until(came_back)
    ids = set(logged(url)["id"].to_pylist())
    assert {before.prediction_id, after.prediction_id} <= ids


def test_buffered_answers_wait_for_a_database_that_is_away(
    project, start_gateway, server, row, wait_until
):
    url = server.database()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="buffered")
    gateway = start_gateway(log=url)
    with Client(gateway.url, retries=Retries(most=0)) as client:
        wait_until(client.ready)
        answers = [client.predict(row)]
        wait_until(lambda: logged(url).num_rows == 1)
        server.stop()
        try:
            answers += [client.predict(row) for _ in range(20)]
        finally:
            server.start()
        wait_until(lambda: logged(url).num_rows == 21)
    assert set(logged(url)["id"].to_pylist()) == {one.prediction_id for one in answers}


def test_gateway_that_starts_before_its_database_says_so_and_comes_round(
    project, start_gateway, server, row, wait_until
):
    url = server.database()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    server.stop()
    try:
        gateway = start_gateway(log=url)
        with Client(gateway.url, retries=Retries(most=0)) as client:
            wait_until(lambda: refused(client, row) == 503)
    finally:
        server.start()
    with Client(gateway.url, retries=Retries(most=0)) as client:
        wait_until(lambda: refused(client, row) == 0)
    _, errors = gateway.terminate()
    assert "cannot reach the prediction log postgresql://owner@127.0.0.1" in errors


def refused(client, row):
    """Return with what status a row is refused; 0 where it is answered."""
    try:
        client.predict(row)
    except ClientError as error:
        return error.status
    return 0
