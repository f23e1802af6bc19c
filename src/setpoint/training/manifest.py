"""The manifest of a bundle: names every other file with its digest, and the model with the digest over these."""

from pathlib import Path

import msgspec

from setpoint.digest import sha256_file, sha256_files
from setpoint.errors import BundleError
from setpoint.facts.profile import Profile

MANIFEST = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself.

    Args:
        artifact: Digest over all files but this one.
        files: SHA-256 of each file by name.
        model: Name of the model.
        task: `binary`, `multiclass` or `regression`.
        classes: Class texts in the order of the codes. ONNX probabilities stand in this order; those of a native
            model stand in the order of its own `classes_`.
        runtime: `onnx` or `native`.
        behaviour: Digest of the answers on the probe rows.
        contract: Digest of the contract.
        created_by: Program and version that wrote it.
    """

    artifact: str
    files: dict[str, str]
    model: str
    task: str
    classes: tuple[str, ...]
    runtime: str
    behaviour: str
    contract: str
    created_by: str


def seal(folder: Path, profile: Profile | None = None) -> str:
    """Put a profile into a bundle, write its manifest anew, and return the artifact digest.

    Args:
        folder: A bundle that nobody has loaded yet.
        profile: Becomes `profile.json`; None leaves what is there.

    Raises:
        BundleError: There is no bundle.
    """
    about = read_manifest(folder)
    if profile is not None:
        (folder / "profile.json").write_bytes(msgspec.json.encode(profile))
    return sealed(folder, about)


def read_manifest(folder: Path) -> Manifest:
    """Return a bundle's manifest, unchecked.

    Raises:
        BundleError: There is none, or it is unreadable.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"cannot read the manifest of the bundle {folder}: {error}"
        raise BundleError(msg) from error


def verify_bundle(folder: Path) -> Manifest:
    """Return a bundle's manifest after checking every file against it.

    Raises:
        BundleError: A file is missing, added or altered.
    """
    about = read_manifest(folder)
    found = _digests(folder)
    for name in sorted(set(found) | set(about.files)):
        if found.get(name) != about.files.get(name):
            msg = (
                f"the bundle {folder} is not as it was sealed: {name} was altered, added or removed"
            )
            raise BundleError(msg)
    if sha256_files(found) != about.artifact:
        msg = f"the bundle {folder} is not as it was sealed: the manifest was altered"
        raise BundleError(msg)
    return about


def sealed(folder: Path, about: Manifest) -> str:
    """Write a manifest that names the folder's files, and return the artifact digest."""
    files = _digests(folder)
    whole = msgspec.structs.replace(about, files=files, artifact=sha256_files(files))
    text = msgspec.json.format(msgspec.json.encode(whole), indent=2)
    (folder / MANIFEST).write_bytes(text)
    return whole.artifact


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = ((path.relative_to(folder).as_posix(), path) for path in files)
    return {name: sha256_file(path) for name, path in names if name != MANIFEST}
