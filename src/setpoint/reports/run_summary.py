"""The result of one pass, for a terminal."""

from rich.console import Group
from rich.text import Text

from setpoint.facts.run import RunResult
from setpoint.reports.terminal import ruling_text, validation_table, verdict_table


def run_summary(result: RunResult) -> Group:
    """Return what one pass came to: the gates, the metrics, what happened, and the time it took."""
    parts: list[object] = []
    if result.blocked is not None:
        parts.append(validation_table(result.blocked))
    if result.gates:
        parts.append(verdict_table(result.gates))
    if result.metrics:
        words = ", ".join(f"{name} {value:.4g}" for name, value in sorted(result.metrics.items()))
        parts.append(Text(f"on the gates' rows: {words}"))
    parts.append(
        Text.assemble(f"{result.model}: ", ruling_text(result.verdict), f"  {result.reason}")
    )
    parts += [Text(f"Note: {note}") for note in result.notes]
    if result.bundle:
        parts.append(_whole(f"version {result.version}: {result.bundle}"))
    if result.champion:
        parts.append(Text(f"production is on version {result.champion}"))
    if result.report:
        parts.append(_whole(f"report: {result.report}"))
    spent = ", ".join(
        f"{stage} {'reused' if stage in result.reused else f'{seconds:.1f} s'}"
        for stage, seconds in result.stages.items()
    )
    parts.append(Text(f"{result.seconds:.1f} s: {spent}" if spent else f"{result.seconds:.1f} s"))
    return Group(*parts)  # type: ignore[arg-type]  # every part is a rich renderable


def _whole(words: str) -> Text:
    """Return a line that stays one, however narrow the terminal: people copy the path in it."""
    return Text(words, no_wrap=True, overflow="ignore")
