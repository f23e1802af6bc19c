"""The installed packages: their list, and one digest that names the environment a model was made in."""

from collections.abc import Iterable
from importlib.metadata import DistributionFinder, MetadataPathFinder
from pathlib import Path
from re import compile as regex

from setpoint.digest import sha256_json

_SEPARATORS = regex(r"[-_.]+")
_SUFFIXES = (".dist-info", ".egg-info")


def installed_packages(path: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return `name==version` of every installed distribution, sorted, names normalised as PEP 503 says.

    Name and version are read off the metadata folders' names, which the installer writes; no file is opened where that
    is enough, so that hundreds of packages take milliseconds. Of a name that is installed twice the first on the path
    counts, as for the import system.

    Args:
        path: Folders to look in; None means those of the running interpreter.
    """
    context = DistributionFinder.Context()
    if path is not None:
        context.__dict__["path"] = list(
            path
        )  # how its constructor takes what the types do not name
    found: dict[str, str] = {}
    for distribution in MetadataPathFinder.find_distributions(context):
        folder = getattr(distribution, "_path", None)
        name, version = _from_folder(folder) if isinstance(folder, Path) else ("", "")
        if not version:
            name, version = distribution.metadata["Name"] or "", distribution.version
        if name and version:
            found.setdefault(_SEPARATORS.sub("-", name).lower(), version)
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()))


def lock_digest(packages: Iterable[str]) -> str:
    """Return the digest that names an environment, from what `installed_packages` returned."""
    return sha256_json(sorted(packages))


def _from_folder(folder: Path) -> tuple[str, str]:
    """Return name and version from a metadata folder's name, or two empty texts where it does not hold them."""
    for suffix in _SUFFIXES:
        if folder.name.endswith(suffix):
            name, _, version = folder.name.removesuffix(suffix).partition("-")
            return name, version.split("-py")[0]
    return "", ""
