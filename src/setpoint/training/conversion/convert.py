"""A native model as ONNX, believed only where it answers the same.

The risk is real: a converter may not know a part, or convert it wrong without a word. So each conversion is held
against the native model on the evaluation rows and on made-up edge rows, and its reason for failing goes on record.
"""

from dataclasses import dataclass

import pandas as pd

from setpoint.facts.evidence import Scores
from setpoint.training.conversion.edge_parity import differing_at_edges, first_words
from setpoint.training.conversion.edge_rows import edge_rows
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.parity import differing
from setpoint.training.conversion.session import open_session
from setpoint.training.conversion.translate import translated
from setpoint.training.model import NativeModel, OnnxModel


@dataclass(frozen=True)
class Converted:
    """An ONNX model that answers like the native one, or the reason why there is none.

    Args:
        data: The serialised model; empty where there is none.
        reason: Why there is none; empty where there is one.
        model: The ONNX model, ready to answer; None where there is none.
        answers: Its answers on the evaluation rows; None where there is none.
    """

    data: bytes = b""
    reason: str = ""
    model: OnnxModel | None = None
    answers: Scores | None = None


def convert(
    model: NativeModel, evaluation: pd.DataFrame, answers: Scores, fit: pd.DataFrame
) -> Converted:
    """Convert a native model and compare it with its origin.

    Args:
        model: The native model.
        evaluation: Evaluation rows.
        answers: The native answers on them.
        fit: Rows it was fitted on, which the edge rows are made from.
    """
    try:
        data = translated(model)
        converted = OnnxModel(open_session(data), model.form)
        given = converted.answer(evaluation)
        if difference := differing(answers, given):
            return Converted(reason=f"ONNX answers differ on evaluation rows: {difference}")
        edges = edge_rows(fit, model.form.features)
        if difference := differing_at_edges(model, converted, edges):
            return Converted(reason=f"ONNX answers differ on edge rows: {difference}")
    except NotConvertibleError as error:
        return Converted(reason=str(error))
    except Exception as error:  # noqa: BLE001  converters raise whatever they like; the reason is kept
        return Converted(reason=f"not convertible to ONNX: {first_words(error)}")
    return Converted(data, "", converted, given)
