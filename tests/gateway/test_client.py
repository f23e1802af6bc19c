"""The client against a gateway as it is: answers, refusals, outcomes, readiness, keys, TLS."""

import asyncio
import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from setpoint.adapters.key_file import KeyFile
from setpoint.client import (
    AsyncClient,
    Client,
    Flaw,
    RequestRefusedError,
    Retries,
    UnreachableError,
)
from setpoint.facts.api_key import ApiKey

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def url(project, start_gateway, wait_until):
    """A gateway that is ready, with two versions."""
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0})
    found = start_gateway().url
    with Client(found) as client:
        wait_until(client.ready)
    return found


def test_one_row_many_rows_and_a_pinned_version(url, row):
    with Client(url) as client:
        one = client.predict(row)
        assert (one.prediction, one.label, one.version) == (1, "Yes", "1")
        assert (one.variant, one.generation) == ("champion", 1)
        assert one.contract.startswith("c0ffee")
        assert 0.5 < one.probability <= 1
        assert client.predict(row, version="2").label == "No"
        rows = [row | {"tenure": n % 120} for n in range(1203)]
        many = client.predict_many(rows)
        assert len({answer.prediction_id for answer in many}) == 1203
        assert [answer.label for answer in many[:120:119]] == ["Yes", "No"]
        alone = [client.predict(given).probability for given in rows[:5]]
        assert [answer.probability for answer in many[:5]] == alone


def test_refusals_say_which_column_of_which_row(url, row):
    with Client(url) as client:
        with pytest.raises(RequestRefusedError) as caught:
            client.predict(row | {"tenure": 200, "plan": "weekly"})
        assert caught.value.status == 422
        assert [flaw.column for flaw in caught.value.flaws] == ["tenure", "plan"]
        rows = [row] * 700
        rows[600] = row | {"charges": "much"}
        with pytest.raises(RequestRefusedError) as caught:
            client.predict_many(rows)
        found = Flaw(
            column="charges", row=600, reason="got text 'much', needs a number", rule="type"
        )
        assert caught.value.flaws == (found,)
        assert len(caught.value.answers) == 500
        with pytest.raises(RequestRefusedError, match="404") as caught:
            client.predict(row, version="9")
        assert caught.value.status == 404


def test_outcomes_told_twice_are_recorded_once(url, row):
    with Client(url) as client:
        answers = client.predict_many([row] * 3)
        assert client.outcome(answers[0].prediction_id, "Yes").recorded == 1
        given = {answer.prediction_id: "Yes" for answer in answers}
        first, second = client.outcomes(given), client.outcomes(given)
        assert (first.recorded, first.known) == (2, 1)
        assert (second.recorded, second.known) == (0, 3)
        with pytest.raises(RequestRefusedError, match="409"):
            client.outcome(answers[0].prediction_id, "No")
        with pytest.raises(RequestRefusedError, match="404"):
            client.outcome("nobody's", "No")


def test_readiness_and_metadata(url):
    with Client(url) as client:
        ready = client.ready()
        assert ready
        assert (ready.versions, ready.weights) == (["1", "2"], {"1": 1.0})
        found = client.metadata()
        assert (found.name, found.versions) == ("churn", ["1", "2"])
        assert found.parameters["key"] == "customer_id"
        tenure, *_, region = found.inputs
        assert tenure.parameters == {"kind": "int", "nullable": False, "min": 0, "max": 120}
        assert region.parameters == {"kind": "category", "nullable": True}


def test_a_gateway_that_is_started_again_is_waited_for(project, start_gateway, row, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway()
    port = int(gateway.url.rpartition(":")[2])
    patient = Retries(most=200, first_s=0.05, longest_s=0.05)

    async def load():
        async with AsyncClient(gateway.url, timeout_s=30, retries=patient) as client:
            first = await client.predict(row)
            gateway.kill()
            waiting = asyncio.create_task(client.predict(row, request_id="kept"))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(start_gateway, port=port)
            return first, await waiting

    first, second = asyncio.run(load())
    assert first.probability == second.probability
    assert first.prediction_id != second.prediction_id


def test_a_gateway_that_is_gone_is_told(project, start_gateway, row, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway()
    with Client(gateway.url, retries=Retries(most=1, first_s=0.01)) as client:
        wait_until(client.ready)
        gateway.kill()
        with pytest.raises(UnreachableError):
            client.predict(row)


def test_a_gateway_that_asks_for_keys(project, start_gateway, row, wait_until, tmp_path):
    project.add(1)
    project.deploy(1, {1: 1.0})
    file = tmp_path / "keys.json"
    secret = KeyFile(file).add(ApiKey(name="me", digest=""))
    url = start_gateway(keys=file).url
    with Client(url, secret) as client:
        wait_until(client.ready)
        assert client.predict(row).label == "Yes"
        assert client.metadata().name == "churn"
    with Client(url) as client:
        assert client.ready()
        with pytest.raises(RequestRefusedError, match="no credentials") as caught:
            client.predict(row)
        assert caught.value.status == 401


def test_the_readme_shows_what_works(
    project, start_gateway, translator, request_document, wait_until
):
    (shown,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    names = ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"]
    columns = [{"name": name, "kind": "float", "nullable": False} for name in names]
    rows = np.random.default_rng(7).normal(size=(50, len(names)))
    encode = ColumnTransformer([("numbers", "passthrough", list(range(len(names))))])
    model = make_pipeline(encode, LogisticRegression()).fit(rows, (rows[:, 0] > 0).astype(int))
    changes = {"columns": columns, "classes": ["0", "1"], "positive": "1", "key": ""}
    project.add(1, translator(model, columns), request_document | changes)
    project.deploy(1, {1: 1.0})
    url = start_gateway().url
    with Client(url) as client:
        wait_until(client.ready)
    assert "http://127.0.0.1:8080" in shown
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(shown.replace("http://127.0.0.1:8080", url), {})  # noqa: S102 (our own page)
    assert "422" in told.getvalue()
    assert "nswprice" in told.getvalue()
