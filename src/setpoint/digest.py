"""SHA-256 digests of plain data, bytes, files and folders: how every fact is named."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

_CHUNK = 1 << 20  # bytes read at a time


def canonical_json(value: object) -> str:
    """Return the one JSON text of plain data: sorted keys, no blanks, UTF-8, no NaN or infinity.

    Raises:
        ValueError: `value` holds NaN or an infinity, which JSON cannot say.
        TypeError: `value` holds something that is not plain data.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_bytes(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_json(value: object) -> str:
    """Return the hexadecimal SHA-256 of the canonical JSON of `value`."""
    return sha256_bytes(canonical_json(value).encode())


def sha256_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_files(digests: Mapping[str, str]) -> str:
    """Return one digest over named files: the digest of the sorted map from name to digest."""
    return sha256_json(dict(sorted(digests.items())))


def short(digest: str) -> str:
    """Return the first twelve characters, for people."""
    return digest[:12]
