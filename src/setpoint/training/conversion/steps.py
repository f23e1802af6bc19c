"""What each part of a pipeline does to columns. A part that is not listed here is converted by skl2onnx."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from setpoint.training.conversion.columns import Block, Column, Lookup, Number, Text, joined
from setpoint.training.conversion.encoders import encoded
from setpoint.training.conversion.foreign import foreign_step
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.layout import MISSING_TEXT, TEXTS
from setpoint.training.conversion.matrix import columns_of, matrix
from setpoint.training.conversion.not_convertible import NotConvertibleError

Step = Callable[[Any, Block, Graph], Block]

_FUNCTIONS: Mapping[Any, tuple[str, ...]] = {
    np.abs: ("Abs",),
    np.exp: ("Exp",),
    np.log: ("Log",),
    np.log1p: ("One", "Add", "Log"),
    np.sqrt: ("Sqrt",),
}


def transformed(part: Any, block: Block, graph: Graph) -> Block:
    """Return the columns after a fitted transformer, a pipeline of them, or `passthrough`.

    Raises:
        NotConvertibleError: It has no ONNX form.
    """
    if part is None or isinstance(part, str):
        return Block(()) if part == "drop" else block
    step = STEPS.get(name_of(part))
    return step(part, block, graph) if step else foreign_step(part, block, graph)


def name_of(part: Any) -> str:
    """Return a class's package and name, such as `sklearn.PCA`; a class derived from it has another name."""
    kind = type(part)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def _pipeline(part: Any, block: Block, graph: Graph) -> Block:
    for _, step in part.steps:
        block = transformed(step, block, graph)
    return block


def _side_by_side(part: Any, block: Block, graph: Graph) -> Block:
    found = []
    for _, step, which in part.transformers_:
        chosen = block.chosen(which)
        if chosen.columns:
            found.append(transformed(step, chosen, graph))
    return joined(found)


def _union(part: Any, block: Block, graph: Graph) -> Block:
    if part.transformer_weights:
        msg = "a FeatureUnion has weights"
        raise NotConvertibleError(msg)
    return joined([transformed(step, block, graph) for _, step in part.transformer_list])


def _standard(part: Any, block: Block, _: Graph) -> Block:
    block = _stepped(block, "Sub", part.mean_ if part.with_mean else None)
    return _stepped(block, "Div", part.scale_ if part.with_std else None)


def _robust(part: Any, block: Block, _: Graph) -> Block:
    block = _stepped(block, "Sub", part.center_ if part.with_centering else None)
    return _stepped(block, "Div", part.scale_ if part.with_scaling else None)


def _min_max(part: Any, block: Block, graph: Graph) -> Block:
    if part.clip:
        return foreign_step(part, block, graph)
    return _stepped(_stepped(block, "Mul", part.scale_), "Add", part.min_)


def _max_abs(part: Any, block: Block, graph: Graph) -> Block:
    if getattr(part, "clip", False):
        return foreign_step(part, block, graph)
    return _stepped(block, "Div", part.scale_)


def _stepped(block: Block, operator: str, values: Any) -> Block:
    """Return the columns after one operator with a constant for each; None leaves them."""
    if values is None:
        return block
    columns: list[Column] = []
    for column, value in zip(block.columns, values, strict=True):
        if isinstance(column, Text):
            msg = "a scaler gets text"
            raise NotConvertibleError(msg)
        columns.append(column.stepped(operator, float(value)))
    return Block(tuple(columns), block.names)


def _function(part: Any, block: Block, graph: Graph) -> Block:
    if part.func is None:
        return block
    if part.func not in _FUNCTIONS or part.kw_args:
        msg = f"the function {getattr(part.func, '__name__', part.func)} of a FunctionTransformer is not known"
        raise NotConvertibleError(msg)
    tensor = matrix(graph, block.columns)
    operators = list(_FUNCTIONS[part.func])
    if operators[0] == "One":
        tensor = graph.add(operators[1], tensor, graph.constant(1.0))
    return Block(columns_of(graph, graph.add(operators[-1], tensor), len(block.columns)))


def _imputer(part: Any, block: Block, graph: Graph) -> Block:
    if part.missing_values is not None and part.missing_values == part.missing_values:
        msg = f"a SimpleImputer takes {part.missing_values!r} for missing"
        raise NotConvertibleError(msg)
    columns: list[Column] = []
    for column, fill in zip(block.columns, part.statistics_, strict=True):
        if fill is None or fill != fill:  # noqa: PLR0124  it had no value: the imputer leaves it out
            if part.keep_empty_features:
                columns.append(_filled(column, 0, graph))
            continue
        columns.append(_filled(column, fill, graph))
    if part.add_indicator:
        columns += [_is_missing(block.columns[at]) for at in part.indicator_.features_]
    return Block(tuple(columns))


def _filled(column: Column, fill: Any, graph: Graph) -> Column:
    if isinstance(column, Text):
        if not isinstance(fill, str):
            msg = f"a SimpleImputer puts {fill!r} into text"
            raise NotConvertibleError(msg)
        return column if column.fill else Text(column.position, fill)
    number = float(fill)
    if isinstance(column, Lookup):
        return column.changed(lambda value: number if np.isnan(value) else value)
    if not np.isnan(column.fill):
        return column
    if column.steps:
        (column,) = columns_of(graph, matrix(graph, [column]), 1)
    return Number(column.tensor, column.position, number)


def _is_missing(column: Column) -> Column:
    if isinstance(column, Text):
        return Lookup(TEXTS, column.position, {} if column.fill else {MISSING_TEXT: 1.0}, 0.0)
    if isinstance(column, Lookup):
        return column.changed(lambda value: float(np.isnan(value)))
    if not np.isnan(column.fill):
        return Lookup(column.tensor, column.position, {}, 0.0)
    return Lookup(column.tensor, column.position, {np.nan: 1.0}, 0.0)


STEPS: dict[str, Step] = {
    "sklearn.ColumnTransformer": _side_by_side,
    "sklearn.FeatureUnion": _union,
    "sklearn.FunctionTransformer": _function,
    "sklearn.MaxAbsScaler": _max_abs,
    "sklearn.MinMaxScaler": _min_max,
    "sklearn.OneHotEncoder": encoded,
    "sklearn.OrdinalEncoder": encoded,
    "sklearn.Pipeline": _pipeline,
    "sklearn.RobustScaler": _robust,
    "sklearn.SimpleImputer": _imputer,
    "sklearn.StandardScaler": _standard,
    "sklearn.TargetEncoder": encoded,
}
"""What is converted here, by package and name of the class."""
