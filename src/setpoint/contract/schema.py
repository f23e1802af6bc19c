"""The contract as JSON Schema 2020-12, for editors and for other people's programs."""

import json
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema

from setpoint.contract.canonical import canonical
from setpoint.contract.conditions import GRAMMAR, SIGNALS, Condition
from setpoint.contract.contract import Contract
from setpoint.contract.cron import Cron
from setpoint.contract.metrics import MetricName
from setpoint.contract.shares import Share
from setpoint.contract.short_form import MONITORING, SIGNAL_NAMES, SLAS
from setpoint.contract.spans import Duration, Span

DIALECT = "https://json-schema.org/draft/2020-12/schema"

READING_RULES = """\
One file that says what a model must be. Unknown keys are errors. Everything but model has a default.

How much: a share is a part of a whole, and 5% and 0.05 are equal. A change is 5% (relative to the value) or
0.05 abs (in its own unit); a bare number there is an error. Better follows the metric: lower for errors,
higher for scores.

Gates: a limit (min, max, between) judges the observed value when there are enough rows, and shows its
interval; with confidence it judges the interval. A comparison (beats_champion, not_worse_by, beats) judges
the interval. Fewer than 30 rows of a class in a slice or group are inconclusive. A set of gates is error
before fail before inconclusive before pass, and only all pass proposes a release. Without a champion,
beats_champion becomes beats the baseline, and says so. The k-th candidate since the last promotion is judged
at alpha/(k(k+1)).

Rows have a part for life: train, validation or test follows from time, or from a hash of key or row, never
from a shuffle. A gate uses only rows that neither champion nor candidate saw. With time, test is later than
train by at least the label delay. Time-ordered rows are resampled in blocks.

Drift: effect is total variation distance over the reference's deciles, with bins for out of range, missing
and unseen. A column's floor is the larger of effect and what the reference's own windows show; fail when the
lower bound exceeds it, pass when the upper bound is below, else inconclusive. A trigger fires on a change of
state, once per evidence. Windows never mix versions. serving_skew compares a version with its own test rows,
never with the champion.

Performance: drop is measured from the lower bound of the version's value at release, by a sequential test.
Outcome guardrails whose label delay exceeds max_duration are watched after promotion (after), and roll back.

Conditions are SIGNAL OP VALUE [for N windows], a closed grammar: parsed, never evaluated.

Spans: with data.time, windows, delays and budgets are times (24h); without it they count rows (1000 rows).

YAML: what YAML 1.1 and 1.2 read differently (yes, no, on, off, 010, 1_000, 1:30) is written in quotes, and so
is a version such as "2.10". Aliases, tags and merge keys are not read.
"""
"""How a contract is to be read; the description of the whole schema."""


class _Generator(GenerateJsonSchema):
    """Writes defaults as people write them."""

    def encode_default(self, dft: Any) -> Any:
        """Return a default in canonical form."""
        return canonical(dft)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a contract, long and short form."""
    generated = Contract.model_json_schema(mode="validation", schema_generator=_Generator)
    plain: dict[str, Any] = _tidied(generated)
    plain["$defs"]["Model"]["properties"] |= {
        "slas": _short_form(SLAS, "Service levels of the short form."),
        "monitoring": _short_form(MONITORING, "What is watched, in the short form."),
    }
    return {
        "$schema": DIALECT,
        **plain,
        "title": "Model contract",
        "description": READING_RULES,
    }


def schema_text() -> str:
    """Return the JSON Schema as indented text, which `init` writes beside a contract."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def condition_description() -> str:
    """Return the grammar of conditions with the meaning of each signal."""
    signals = "\n".join(f"{name}: {meaning} ({kind})" for name, (kind, meaning) in SIGNALS.items())
    return f"{Condition.allowed}.\n\n{GRAMMAR}\nSignals:\n{signals}"


def _tidied(value: Any) -> Any:
    """Return a schema without null as a choice or default: an absent key says that already."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _tidied(item) for key, item in value.items() if key != "default"}
    default = value.get("default")
    if default is not None and default != [] and not isinstance(default, dict):
        plain["default"] = default
    choices = [c for c in plain.get("anyOf", []) if c != {"type": "null"}]
    if len(choices) == 1 and len(plain["anyOf"]) > 1:
        del plain["anyOf"]
        return {**choices[0], **plain}
    if plain.get("description") == Condition.allowed:
        plain["description"] = condition_description()
    return plain


def _short_form(keys: dict[str, str], description: str) -> dict[str, Any]:
    properties = {
        key: {**_short_type(key), "description": f"Becomes: {becomes}."}
        for key, becomes in keys.items()
    }
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
    }


def _short_type(key: str) -> dict[str, Any]:
    if key == "metrics":
        names = [*SIGNAL_NAMES, *get_args(MetricName)]
        return {"type": "array", "items": {"type": "string", "enum": names}}
    if key.startswith("target_"):
        return {"type": "number"}
    if key.startswith("inference_latency"):
        return {"anyOf": list(Duration.json_forms)}
    by_key = {"schedule": Cron.json_forms, "window": Span.json_forms}
    return {"anyOf": list(by_key.get(key, Share.json_forms))}
