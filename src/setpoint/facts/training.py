"""What a training job is asked for, and what it gives back."""

from typing import Any

import msgspec


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """One input column of a model, with what the contract allows in it, for the bundle's `request.json`.

    Args:
        name: Column name.
        kind: `int`, `float`, `bool`, `category` or `text`.
        low: Smallest allowed number, where the contract says one.
        high: Largest allowed number, where the contract says one.
        values: Allowed values as text, where the contract lists them.
        nullable: Whether it may be missing.
        log: What the prediction log keeps of it; see `setpoint.facts.log_rule`.
    """

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] | None = None
    nullable: bool = True
    log: str = "keep"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what a fit gives, apart from the rows.

    Args:
        estimator: `auto`, a dotted scikit-learn class, or `module:function`.
        params: Parameters of the estimator.
        task: `binary`, `multiclass` or `regression`.
        target: Column to predict.
        positive: The positive class of a binary task, as text.
        features: Input columns, in order.
        threshold: A binary answer is positive at this probability or above.
        seed: Seed of everything random.
        time_limit_s: Longest time a fit may take, in seconds.
        memory_limit: Most memory a fit may take beyond start-up, in bytes.
    """

    estimator: str
    params: dict[str, Any]
    task: str
    target: str
    positive: str
    features: tuple[Feature, ...]
    threshold: float
    seed: int
    time_limit_s: float
    memory_limit: int


class Perturb(msgspec.Struct, frozen=True, kw_only=True):
    """A what-if to score: column `column` shuffled over its values (`swap`) or raised by `add`."""

    gate: int
    column: str
    add: float | None = None


class TrainingJob(msgspec.Struct, frozen=True, kw_only=True):
    """One fit and its measurement. The same job gives the same result, wherever and however often it runs.

    Args:
        key: Digest of everything below that changes the result; names the folder of the result.
        model: Name of the model.
        contract: Digest of the contract.
        recipe: What to fit.
        table: Content digest of the stored table.
        rows: Path of an `.npz` file with row positions of the stored table, each int64 and ascending: `fit`,
            `validation` (may be empty), `test`; and `champion_unseen`, bool, one for each test row.
        ordered: Rows stand in order of time.
        axis_column: Column that carries the time, or empty where row order does.
        key_column: Column that names the entity of a row, or empty.
        key_log: What the prediction log keeps of it.
        label_delay_rows: Rows after which a label is known, for the `no_change` baseline.
        champion: Artifact digest of the champion to measure on the same rows, or empty.
        columns: Columns to keep beside the answers, for slices and fairness.
        baselines: Baselines to answer with: `majority`, `mean`, `no_change`.
        perturbs: What-ifs to answer.
        measure_latency: Whether to time single-row answers (not in a replay: history has no wall clock).
        convert: Whether to convert the model to ONNX and compare (not in a replay, where nothing is served).
        shuffle_labels: Fit on shuffled labels: the self-test of the gates.
    """

    key: str
    model: str
    contract: str
    recipe: Recipe
    table: str
    rows: str
    ordered: bool = False
    axis_column: str = ""
    key_column: str = ""
    key_log: str = "keep"
    label_delay_rows: int = 0
    champion: str = ""
    columns: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    perturbs: tuple[Perturb, ...] = ()
    measure_latency: bool = False
    convert: bool = True
    shuffle_labels: bool = False


class TrainingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished job left in its folder: the facts; arrays and the model lie beside it.

    Args:
        key: The job's key.
        metrics: Value of each metric on the test rows.
        artifact: Digest over the bundle's files.
        behaviour: Digest of the answers on recorded probe rows.
        runtime: `onnx` or `native`: what the bundle holds.
        runtime_reason: Why native, where ONNX was asked for.
        fit_rows: Rows fitted on.
        test_rows: Rows measured on.
        fit_seconds: Wall time inside fit.
        predict_seconds: Wall time inside predict.
        importance: Permutation importance by feature, largest first.
        output: What the training function printed, at most the last 10,000 characters.
    """

    key: str
    metrics: dict[str, float]
    artifact: str
    behaviour: str
    runtime: str
    runtime_reason: str = ""
    fit_rows: int = 0
    test_rows: int = 0
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    importance: dict[str, float] = {}
    output: str = ""
