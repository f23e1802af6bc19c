"""Gateways whose answers an object store acknowledges; the tables lie beside the loop."""

import asyncio

import pytest
from tests.real_parts import started_object_store

from setpoint.client import AsyncClient, Client, Retries
from setpoint.client.failures import ClientError
from setpoint.clock import SystemClock
from setpoint.load.back_to_back import send_rows
from setpoint.settings import LogSettings
from setpoint.wiring.log_place import open_log, place_at


@pytest.fixture(scope="module")
def mortal(tmp_path_factory):
    """Give an object store that tests may cut off."""
    with started_object_store(tmp_path_factory.mktemp("objects")) as store:
        yield store


def logged(project, url):
    place = place_at(LogSettings(url=url), project.folder / "log.db")
    with open_log(place) as log:
        return log.window(0.0, 1e12)


async def load(url, rows):
    async with AsyncClient(url, retries=Retries(most=0)) as client:
        for _ in range(1000):
            if await client.ready():
                break
            await asyncio.sleep(0.02)
        return await send_rows(client, rows, clock=SystemClock(), concurrency=8)


def given(sent):
    return {one.answer.prediction_id for one in sent if one.answer}


def test_kill_9_of_a_gateway_loses_no_acknowledged_answer(project, start_gateway, mortal, row):
    url = mortal.folder()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    acknowledged = set()
    for kill in range(2):
        gateway = start_gateway(log=url)

        def rows(gateway=gateway, after=60 + 70 * kill):
            for number in range(after + 10):
                if number == after:
                    gateway.kill()
                yield row

        sent = asyncio.run(load(gateway.url, rows()))
        assert len(given(sent)) >= 50
        acknowledged |= given(sent)
    assert acknowledged <= set(logged(project, url)["id"].to_pylist())


def test_outcomes_of_answers_of_other_gateways_are_told_beside_the_loop(
    project, start_gateway, mortal, row, wait_until
):
    url = mortal.folder()
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    first, second = (start_gateway(log=url) for _ in range(2))
    with Client(first.url) as one, Client(second.url) as other:
        for client in (one, other):
            wait_until(client.ready)
        answers = [(one, other)[n % 2].predict(row | {"customer_id": f"C-{n}"}) for n in range(6)]
        for answer in answers:
            one.outcome(answer.prediction_id, "Yes")
        with pytest.raises(ClientError, match="already known"):
            other.outcome(answers[0].prediction_id, "No")
        with pytest.raises(ClientError, match="is in the log"):
            one.outcome("nobody's", "No")
    found = logged(project, url)
    assert sorted(found["id"].to_pylist()) == sorted(one.prediction_id for one in answers)
    assert set(found["outcome"].to_pylist()) == {"Yes"}


def test_lone_gateway_adds_answers_and_refuses_outcomes_that_nobody_would_hear_of(
    project, start_gateway, mortal, row, wait_until
):
    url = mortal.folder()
    project.add(1)
    bundle = project.folder / project.prepared[1].bundle
    gateway = start_gateway(deployment=None, bundle=bundle, log=url)
    with Client(gateway.url, retries=Retries(most=0)) as client:
        wait_until(client.ready)
        answer = client.predict(row)
        with pytest.raises(ClientError, match="only adds answers to s3://") as error:
            client.outcome(answer.prediction_id, "Yes")
        assert error.value.status == 503
    assert logged(project, url)["id"].to_pylist() == [answer.prediction_id]
    assert not (bundle.parent / "log.db").exists()


@pytest.mark.parametrize("log", ["durable", "buffered"])
def test_store_that_does_not_answer_is_503_or_waited_for(
    project, start_gateway, mortal, row, wait_until, log
):
    url = mortal.folder()
    project.add(1)
    project.deploy(1, {1: 1.0}, log=log)
    gateway = start_gateway(log=url)
    with Client(gateway.url, retries=Retries(most=0), timeout_s=60) as client:
        wait_until(client.ready)
        answers = [client.predict(row)]
        wait_until(lambda: logged(project, url).num_rows == 1)
        mortal.door.shut()
        try:
            if log == "durable":
                with pytest.raises(ClientError) as error:
                    client.predict(row)
                assert error.value.status == 503
            else:
                answers += [client.predict(row) for _ in range(5)]
        finally:
            mortal.door.open()
        if log == "durable":
            answers.append(client.predict(row))
        wait_until(lambda: logged(project, url).num_rows == len(answers))
    assert set(logged(project, url)["id"].to_pylist()) == {one.prediction_id for one in answers}
