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
        overlays.append((str(overlay), _text(overlay, allowed=_known_overlays(overlay.parent))))
    made = "make one with: setpoint init DIR --from FILE --target COLUMN"
    return parse(_text(path, allowed=made), file=str(path), overlays=overlays)


def _known_overlays(folder: Path) -> str:
    """Return what may stand behind --env, in words."""
    names = sorted(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else []
    if not names:
        return f"no --env, as {folder} holds no overlay"
    return f"--env {', '.join(names)}"


def _text(path: Path, *, allowed: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        problem = Problem("there is no such file", file=str(path), allowed=allowed)
        raise ContractError([problem]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError([Problem(f"cannot be read: {error}", file=str(path))]) from error
