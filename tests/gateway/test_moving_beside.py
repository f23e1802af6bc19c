"""Answers are moved into files, and removed, beside gateways that answer: nothing is lost, nobody waits for long."""

import asyncio
import time

import pytest

from setpoint.client import AsyncClient, Retries
from setpoint.clock import SystemClock
from setpoint.load.back_to_back import send_rows
from setpoint.settings import LogSettings
from setpoint.wiring.log_place import open_log, place_at


@pytest.fixture(params=["file", "postgres", "s3"])
def told(request, tmp_path):
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database()
        return LogSettings(url=url, files=str(tmp_path / "hours"))
    if request.param == "s3":
        return LogSettings(url=request.getfixturevalue("object_store").folder())
    return LogSettings()


def test_all_that_was_answered_is_in_files_once(project, start_gateway, row, told):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    gateways = [start_gateway(told_log=told) for _ in range(2)]
    place = place_at(told, project.folder / "log.db")
    done = asyncio.Event()

    def move():
        with open_log(place) as log:
            moved = 0
            while not done.is_set():
                moved += log.compact(time.time(), everything=True).files
                assert log.pruning().prune(time.time() - 3600, at=time.time()).answers == 0
                time.sleep(0.02)
            return moved

    async def answer(gateway):
        async with AsyncClient(gateway.url, retries=Retries(most=0)) as client:
            for _ in range(1000):
                if await client.ready():
                    break
                await asyncio.sleep(0.02)
            return await send_rows(client, [row] * 250, clock=SystemClock(), concurrency=4)

    async def both():
        moving = asyncio.create_task(asyncio.to_thread(move))
        sent = await asyncio.gather(*(answer(one) for one in gateways))
        done.set()
        return [*sent[0], *sent[1]], await moving

    sent, moved = asyncio.run(both())
    assert {one.status for one in sent} == {200}
    assert moved >= 1
    with open_log(place) as log:
        found = log.stretch(0, 10_000)
    assert sorted(found["id"].to_pylist()) == sorted(one.answer.prediction_id for one in sent)
    assert found["position"].to_pylist() == list(range(500))
