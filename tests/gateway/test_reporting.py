"""Tests of what a gateway tells control: at once when something changed, and that it lives."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from setpoint.adapters.memory_deployments import MemoryDeployments
from setpoint.errors import DeploymentError
from setpoint.facts.gateway_report import GatewayReport
from setpoint.gateway.reporting import Reporter


class Clock:
    """Stands where it is put; its wall clock is another one."""

    seconds = 0.0

    def stopwatch(self):
        return self.seconds

    def wall(self):
        return 1000.0 + self.seconds


class Reports(MemoryDeployments):
    """Counts what is written, and fails when told to."""

    def __init__(self):
        super().__init__()
        self.written = 0
        self.failing = ""

    def report(self, report):
        if self.failing:
            raise DeploymentError(self.failing)
        self.written += 1
        super().report(report)

    def withdraw(self, gateway):
        if self.failing:
            raise DeploymentError(self.failing)
        del self._reports[gateway]


@pytest.fixture
def scene():
    follower = SimpleNamespace(generation=0, ready=(), failures={}, problem="")
    reports, clock = Reports(), Clock()
    with ThreadPoolExecutor(1) as executor:
        reporter = Reporter("g", follower, reports, executor, clock)
        yield SimpleNamespace(follower=follower, reports=reports, clock=clock, reporter=reporter)


def look(scene, at):
    scene.clock.seconds = at
    asyncio.run(scene.reporter.look())
    return scene.reports.reports()


def test_first_look_reports_that_there_is_a_gateway(scene):
    assert look(scene, 0.0) == (GatewayReport(gateway="g", at=1000.0),)


def test_change_is_reported_at_once_and_only_once(scene):
    look(scene, 0.0)
    scene.follower.generation, scene.follower.ready = 3, (1, 2)
    (found,) = look(scene, 0.1)
    assert (found.generation, found.ready, found.at) == (3, (1, 2), 1000.1)
    scene.follower.failures = {2: "altered"}
    (found,) = look(scene, 0.2)
    assert found.refused == {"2": "altered"}
    scene.follower.problem = "is no document"
    (found,) = look(scene, 0.3)
    assert found.problem == "is no document"
    for at in (0.4, 1.0, 5.2):
        look(scene, at)
    assert scene.reports.written == 4


def test_gateway_that_lives_says_so_every_five_seconds(scene):
    written = [look(scene, at)[0].at for at in (0.0, 4.9, 5.0, 9.9, 10.0)]
    assert written == [1000.0, 1000.0, 1005.0, 1005.0, 1010.0]


def test_report_that_cannot_be_written_is_told_once_and_tried_again(scene, capsys):
    scene.reports.failing = "the disk is full"
    for at in (0.0, 0.1, 5.0, 10.0):
        assert look(scene, at) == ()
    assert capsys.readouterr().err.count("the disk is full") == 1
    scene.reports.failing = ""
    assert look(scene, 14.9) == ()
    assert len(look(scene, 15.0)) == 1
    scene.reports.failing = "the disk is full"
    look(scene, 20.0)
    assert capsys.readouterr().err.count("the disk is full") == 1


def test_gateway_that_ends_takes_its_report_away(scene, capsys):
    look(scene, 0.0)
    asyncio.run(scene.reporter.withdraw())
    assert scene.reports.reports() == ()
    scene.reports.failing = "gone"
    asyncio.run(scene.reporter.withdraw())
    assert "gone" in capsys.readouterr().err


def test_application_reports_what_it_follows_and_says_goodbye(project, open_client, client):
    client.until(lambda: [one.generation for one in project.deployments.reports()] == [1])
    (report,) = project.deployments.reports()
    assert (report.ready, report.refused, report.problem) == ((1, 2), {}, "")
    client.loop.run_until_complete(client.app.stop())
    assert project.deployments.reports() == ()
