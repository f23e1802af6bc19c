"""Bundles that a document at a URL names: found on this machine, or fetched once into a folder here.

Rules:
1. The document is believed, since it says what is served; everything else is held against its artifact digest: the
   manifest's list of files, then each file's bytes, before anything is where a gateway would load it from.
2. A bundle appears in the folder whole or not at all, under its digest; several processes may share the folder.
3. Names stay inside the bundle; number, size and time are bounded. What is left by a fetch that was killed is removed.
4. A fetch ends where nobody wants the bundle any more: a slow server must not hold up the document that takes it back.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import msgspec

from setpoint.adapters.web_address import WebAddress
from setpoint.adapters.web_fetch import Wanted, WebFetcher
from setpoint.digest import sha256_file, sha256_files, short
from setpoint.errors import BundleError, FetchError, UsageError
from setpoint.facts.deployment import Deployed

_MANIFEST = "manifest.json"
_MOST_MANIFEST = 1_000_000  # bytes
_MOST_FILES = 100
_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z")
_LONGEST_NAME = 200
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_WITHIN_S = 600.0  # for one file
_ABANDONED_S = 3600.0
_REDIRECTS = 3


class _Manifest(msgspec.Struct, frozen=True):
    """What is read of `manifest.json`."""

    artifact: str
    files: dict[str, str]


@dataclass(frozen=True)
class MirrorBounds:
    """How much is fetched and kept.

    Args:
        bundle: Bytes of one bundle.
        kept: Bundles that stay in the folder; those that were used last.
    """

    bundle: int = 2_000_000_000
    kept: int = 10


class BundleMirror:
    """Brings bundles here.

    Args:
        document: Address of the document that names them, from which relative paths start.
        fetcher: Fetches them; used by nobody else.
        folder: Where they are kept; made when the first is fetched.
        authorization: Value of the header `Authorization`; sent to the document's origin alone.
        bounds: How much is fetched and kept.
        wanted: Whether the bundle of an artifact is still wanted, as often as a piece of it comes.
    """

    def __init__(
        self,
        document: WebAddress,
        fetcher: WebFetcher,
        folder: Path,
        authorization: str = "",
        bounds: MirrorBounds | None = None,
        wanted: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._document = document
        self._fetcher = fetcher
        self._folder = folder
        self._authorization = authorization
        self._bounds = bounds or MirrorBounds()
        self._wanted = wanted

    def local(self, deployed: Deployed) -> Path:
        """Return a folder of this machine that holds a bundle; fetches it where there is none. Slow.

        An absolute path is looked for here first. Where it is not, as after the document was copied off another
        machine, the bundle is looked for beside the document as `bundles/<artifact>`.

        Raises:
            BundleError: It cannot be fetched, or is not what the document names.
        """
        if _DIGEST.match(deployed.artifact) is None:
            msg = f"{deployed.artifact[:80]!r} is no artifact digest, so it cannot be fetched"
            raise BundleError(msg)
        if deployed.bundle.startswith("/") and Path(deployed.bundle).is_dir():
            return Path(deployed.bundle)
        found = self._folder / deployed.artifact
        try:
            if not _is_whole(found, deployed.artifact):
                shutil.rmtree(found, ignore_errors=True)
                self._fetch(deployed, found)
            os.utime(found)  # used now: of many, those that were used last are kept
        except OSError as error:
            msg = f"it cannot be kept in {self._folder}: {error.strerror or error}"
            raise BundleError(msg) from error
        return found

    def give_up(self) -> None:
        """End a fetch that is under way, and begin none any more; from any thread."""
        self._fetcher.give_up()

    def _fetch(self, deployed: Deployed, place: Path) -> None:
        """Fetch a bundle beside its place, then put it there.

        Raises:
            BundleError: It cannot be fetched, or is not what the document names.
            OSError: It cannot be written.
        """
        base = self._address(deployed)
        text, files = self._listed(base, deployed)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tidy()
        part = self._folder / f".{deployed.artifact[:16]}-{os.getpid()}"
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            (part / _MANIFEST).write_bytes(text)
            left = self._bounds.bundle
            still = partial(self._require_wanted, deployed.artifact)
            for name, digest in files.items():
                left -= self._fetch_file(base.beside(name), digest, part / name, left, still)
            _put(part, place)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _address(self, deployed: Deployed) -> WebAddress:
        """Return the address of a bundle's manifest."""
        name = deployed.bundle.rstrip("/")
        if "://" in name:
            try:
                return WebAddress.parse(f"{name}/{_MANIFEST}", "the bundle")
            except UsageError as error:
                raise BundleError(str(error)) from error
        if name.startswith("/"):
            name = f"bundles/{deployed.artifact}"
        if len(name) > _LONGEST_NAME or _NAME.match(name) is None:
            msg = f"{name[:80]!r} is no path beneath the document's folder"
            raise BundleError(msg)
        return self._document.beside(f"{name}/{_MANIFEST}")

    def _listed(self, base: WebAddress, deployed: Deployed) -> tuple[bytes, dict[str, str]]:
        """Return the manifest and the digests of the bundle's files by name, held against the document.

        Raises:
            BundleError: The manifest cannot be fetched, or is not of the bundle that the document names.
        """
        pieces: list[bytes] = []
        self._get(base, _MOST_MANIFEST, pieces.append)
        text = b"".join(pieces)
        try:
            manifest = msgspec.json.decode(text, type=_Manifest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"{base} cannot be read: {error}"
            raise BundleError(msg) from error
        if sha256_files(manifest.files) != deployed.artifact:
            msg = (
                f"{base} lists files of artifact digest {short(sha256_files(manifest.files))}…, "
                f"the deployment names {short(deployed.artifact)}…"
            )
            raise BundleError(msg)
        odd = [
            name
            for name in manifest.files
            if len(name) > _LONGEST_NAME or _NAME.match(name) is None or name == _MANIFEST
        ]
        if odd or not manifest.files or len(manifest.files) > _MOST_FILES:
            msg = f"{base} lists {len(manifest.files)} files (1 to {_MOST_FILES} may be), odd names: {odd[:3]}"
            raise BundleError(msg)
        return text, manifest.files

    def _require_wanted(self, artifact: str) -> None:
        if not self._wanted(artifact):
            raise BundleError("it is wanted no more: the newest document does not name it")

    def _fetch_file(
        self, address: WebAddress, digest: str, path: Path, most: int, still: Callable[[], None]
    ) -> int:
        """Fetch one file of a bundle and return its size.

        Raises:
            BundleError: It cannot be fetched, or its bytes are others than the manifest names.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            found = hashlib.sha256()

            def take(piece: bytes) -> None:
                still()
                found.update(piece)
                file.write(piece)

            self._get(address, most, take)
            size = file.tell()
        if found.hexdigest() != digest:
            msg = f"{address} does not have the digest that the manifest names"
            raise BundleError(msg)
        return size

    def _get(self, address: WebAddress, most: int, take: Callable[[bytes], object]) -> None:
        """Fetch one file piece by piece.

        Raises:
            BundleError: It cannot be fetched.
        """
        is_ours = address.origin == self._document.origin
        authorization = self._authorization if is_ours else ""
        wanted = Wanted(address, most, _WITHIN_S, authorization=authorization, redirects=_REDIRECTS)
        try:
            status = self._fetcher.get(wanted, take).status
        except FetchError as error:
            msg = f"{address} cannot be fetched: {error}"
            raise BundleError(msg) from error
        if status != HTTPStatus.OK:
            msg = f"{address} cannot be fetched: it answers {status}"
            raise BundleError(msg)

    def _tidy(self) -> None:
        """Remove what killed fetches left, and the bundles that were not used for longest."""
        aged = sorted(
            ((path.stat().st_mtime, path) for path in self._folder.iterdir()), reverse=True
        )
        newest = aged[0][0] if aged else 0.0
        parts = [
            path for at, path in aged if path.name.startswith(".") and newest - at > _ABANDONED_S
        ]
        bundles = [path for _, path in aged if _DIGEST.match(path.name)]
        for path in (*parts, *bundles[max(0, self._bounds.kept - 1) :]):
            shutil.rmtree(path, ignore_errors=True)


def _is_whole(folder: Path, artifact: str) -> bool:
    """Return whether a folder holds the bundle of this digest, byte for byte."""
    if not folder.is_dir():
        return False
    files = (path for path in folder.rglob("*") if path.is_file() and path != folder / _MANIFEST)
    found = {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
    return sha256_files(found) == artifact


def _put(part: Path, place: Path) -> None:
    """Put a whole bundle in its place, unless another process was faster."""
    try:
        part.rename(place)
    except OSError:
        if not place.is_dir():
            raise
