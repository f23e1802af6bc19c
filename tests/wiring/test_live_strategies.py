"""`up` with a real gateway, and a challenger that comes by copies of requests, or by one switch."""

from collections import Counter

import pytest

CONTRACT = """\
release:
  strategy: {strategy}
  min_requests: 60
  guardrails: [{{error_rate: 10%}}]
retrain: {{when: [rows.new >= 1000]}}
"""
CHAMPION, CHALLENGER = 1, 2


def released(project, traffic, contract):
    """Let `up` retrain and release a second version, while people ask, until it is promoted and has answered."""
    project.write_contract(contract)
    project.run()
    project.write_rows(2400)
    process = project.up()
    project.wait_ready(process)
    traffic.start()
    project.wait_for("promotion", lambda _: project.state.champion == CHALLENGER, process)
    enough = len(traffic.acknowledged) + 150
    project.wait_for("answers", lambda _: len(traffic.acknowledged) >= enough, process)
    traffic.stop()
    project.end(process)
    assert (traffic.wrong, traffic.unready, traffic.refused) == ([], 0, 0)
    logged = project.logged()
    assert set(traffic.acknowledged) <= {one["id"] for one in logged}
    return Counter((one["generation"], one["version"]) for one in logged)


@pytest.mark.slow
def test_shadow_answers_copies_that_nobody_is_given_and_is_promoted_by_them(project, traffic):
    contract = CONTRACT.format(strategy="shadow\n  steps: [50%, 100%]")
    given = released(project, traffic, contract)
    begun, onward, promoted = project.decisions("release_started", "step_passed", "promoted")[1:]
    for one, copied in ((begun, 0.5), (onward, 1.0)):
        assert (one["numbers"]["share"], one["numbers"]["copied"]) == (0.0, copied)
        assert (one["numbers"]["generation"], CHALLENGER) not in given
    (verdict,) = promoted["verdicts"]
    assert verdict["verdict"] == "pass"
    assert verdict["n"] >= 60
    assert promoted["numbers"]["compared"] >= 60
    assert promoted["numbers"]["agreement"] > 0.5
    assert given[promoted["numbers"]["generation"], CHALLENGER] > 0


@pytest.mark.slow
def test_blue_green_switches_all_traffic_once_the_gateway_is_ready(project, traffic):
    given = released(project, traffic, CONTRACT.format(strategy="blue_green"))
    begun, switched, promoted = project.decisions("release_started", "step_passed", "promoted")[1:]
    assert "every gateway is ready" in switched["reason"]
    generation = switched["numbers"]["generation"]
    assert (begun["numbers"]["generation"], CHALLENGER) not in given
    assert (generation, CHAMPION) not in given
    (verdict,) = promoted["verdicts"]
    assert (verdict["verdict"], verdict["n"] >= 60) == ("pass", True)
    assert given[generation, CHALLENGER] >= verdict["n"]
