"""What a shadow says of some rows, held against what the answering version said of them."""

from typing import NamedTuple

from setpoint.gateway.models.deciding import Decided
from setpoint.gateway.rows.schema import Schema


class Compared(NamedTuple):
    """Two answers to n rows.

    Args:
        agreed: Rows with the same class; None for numbers.
        differences: How far apart they are, 0 or more, up to n: probabilities of the positive class (binary), of the
            class that both answered (multiclass; none where they disagree), or values. Empty without probabilities.
    """

    agreed: int | None
    differences: list[float]


def compare(live: Decided, live_schema: Schema, shadow: Decided, schema: Schema) -> Compared:
    """Hold a shadow's answers against the live ones.

    Args:
        live: What was answered.
        live_schema: The schema of the version that did.
        shadow: What the shadow says of the same rows.
        schema: Its schema; of the same task.
    """
    if not schema.classes:
        pairs = zip(live.labels, shadow.labels, strict=True)
        return Compared(None, [abs(float(one) - float(other)) for one, other in pairs])
    same = [one == other for one, other in zip(live.labels, shadow.labels, strict=True)]
    agreed = sum(same)
    if not live.probability or not shadow.probability:
        return Compared(agreed, [])
    chances = list(zip(same, live.probability, shadow.probability, strict=True))
    if schema.document.task == "binary":
        if schema.classes[schema.positive] != live_schema.classes[live_schema.positive]:
            return Compared(agreed, [])  # chances of two different things
        return Compared(agreed, [abs(one - other) for _, one, other in chances])
    return Compared(agreed, [abs(one - other) for alike, one, other in chances if alike])
