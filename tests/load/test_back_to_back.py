import asyncio

from setpoint.client import RequestRefusedError
from setpoint.clock import SystemClock
from setpoint.load.back_to_back import send_rows


class Fake:
    def __init__(self, answer):
        self.answer = answer
        self.under_way = self.most = 0

    async def predict(self, row):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.001 * (5 - row["n"] % 5))
        self.under_way -= 1
        if row["n"] == 3:
            raise RequestRefusedError("422: no", status=422)
        return self.answer(str(row["n"]))


def test_answers_come_in_the_order_of_the_rows_and_failures_among_them(answer):
    client = Fake(answer)
    rows = ({"n": n} for n in range(20))
    found = asyncio.run(send_rows(client, rows, clock=SystemClock(), concurrency=4))
    assert [one.number for one in found] == list(range(20))
    assert [one.status for one in found] == [200, 200, 200, 422, *[200] * 16]
    assert [one.answer.version for one in found if one.answer] == [
        str(n) for n in range(20) if n != 3
    ]
    assert found[3].error.status == 422
    assert client.most == 4
    assert all(one.latency_s > 0 for one in found)
