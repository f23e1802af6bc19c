"""Runners of pickles, made by an adapter that is loaded with the first: pandas and scikit-learn come with it."""

import importlib

from setpoint.gateway.models.runtime import Runner
from setpoint.gateway.rows.column_check import as_text
from setpoint.gateway.rows.schema import RequestDocument


def load_native(model: bytes, document: RequestDocument) -> Runner:
    """Return the runner of a pickle, which is code: its digest was checked against one that somebody trusted.

    Raises:
        BundleError: The pickle cannot be loaded.
    """
    adapter = importlib.import_module("setpoint.adapters.native_model")
    runner: Runner = adapter.load_native(
        model,
        task=document.task,
        columns=[(rule.name, rule.kind) for rule in document.columns],
        classes=tuple(as_text(name) for name in document.classes),
        threshold=0.5 if document.threshold is None else document.threshold,
        together=document.together,
    )
    return runner
