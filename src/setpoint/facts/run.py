"""The result of one pass: what was made of the data, what the gates said, and where the candidate stands."""

from typing import Any

import msgspec

from setpoint.facts.report import ValidationReport
from setpoint.facts.verdict import Ruling, Verdict


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass of `run` came to.

    Args:
        verdict: All gates together; `fail` too where the data failed its checks.
        model: Name of the model.
        version: The version that was registered, or that the candidate already is; None without one.
        champion: The version that production is on; 0 before the first.
        bundle: Folder of the version's bundle, or empty.
        metrics: Metrics on the gates' rows.
        gates: What each gate said.
        stages: Wall seconds of each stage.
        reused: Stages whose result an earlier pass had left.
        seconds: Wall seconds of the pass.
        reason: One sentence for people.
        notes: What else people should know, such as an alias that was moved by hand and put back; as sentences.
        blocked: The failing data checks, where they stopped the pass.
        attempt: Names the attempt.
        job: Key of its training job.
        report: The page of the pass, or empty where none was written.
    """

    verdict: Ruling
    model: str
    version: int | None = None
    champion: int = 0
    bundle: str = ""
    metrics: dict[str, float] = {}
    gates: tuple[Verdict, ...] = ()
    stages: dict[str, float] = {}
    reused: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    notes: tuple[str, ...] = ()
    blocked: ValidationReport | None = None
    attempt: str = ""
    job: str = ""
    report: str = ""

    @property
    def page_name(self) -> str:
        """Name of the pass's page among the store's reports; one attempt has one."""
        return f"run-{self.attempt}.html"

    def to_json(self) -> dict[str, Any]:
        """Return plain data for JSON, the gates as `gate, verdict, observed, limit, interval, n, reason`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        plain["gates"] = [{"gate": one.pop("subject"), **one} for one in plain["gates"]]
        if self.blocked is None:
            del plain["blocked"]
        return plain

    def _repr_html_(self) -> str:
        """Return the gates as a plain table, for notebooks."""
        rows = "".join(
            f"<tr><td>{one.subject}</td><td>{one.verdict}</td><td>{one.reason}</td></tr>"
            for one in self.gates
        )
        return f"<p>{self.model}: {self.verdict}. {self.reason}</p><table>{rows}</table>"
