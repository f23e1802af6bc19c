"""Reads a contract's file. Loads no table library: what only looks at a contract starts at once."""

from pathlib import Path

from setpoint.contract.contract import Contract
from setpoint.contract.parse import parse
from setpoint.errors import ContractError, Problem


def read_contract(path: Path, *, env: str = "") -> Contract:
    """Read a contract's file, with the overlay of an environment.

    Args:
        path: The contract, such as `model_contract.yaml`.
        env: Name of an overlay `configs/NAME.yaml` beside the contract, or empty.

    Raises:
        ContractError: A file is not there, or the contract cannot be read.
    """
    overlays = []
    if env:
        overlay = path.parent / "configs" / f"{env}.yaml"
        overlays.append((str(overlay), _text(overlay)))
    return parse(_text(path), file=str(path), overlays=overlays)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        hint = "make one with: setpoint init DIR --from FILE --target COLUMN"
        raise ContractError(
            [Problem("there is no such file", file=str(path), allowed=hint)]
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError([Problem(f"cannot be read: {error}", file=str(path))]) from error
