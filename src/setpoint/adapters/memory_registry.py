"""The registry in memory: for a replay, which registers nothing that outlives it, and for tests."""

from pathlib import Path

from setpoint.errors import RegistryError
from setpoint.facts.registration import Registered, Registration


class MemoryRegistry:
    """Runs, versions and aliases, kept until the process ends. Versions of each model are numbered from 1."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], str] = {}
        self._versions: dict[str, dict[int, str]] = {}  # attempt by number, by model
        self._aliases: dict[str, dict[str, int]] = {}

    def record(self, registration: Registration, folder: Path) -> Registered:  # noqa: ARG002  it keeps no files
        """Keep a finished attempt, once; see `setpoint.ports.registry`."""
        model, attempt = registration.model, registration.attempt
        run = self._runs.setdefault((model, attempt), f"run-{len(self._runs) + 1}")
        attempts = self._versions.setdefault(model, {})
        version = next((number for number, made in attempts.items() if made == attempt), None)
        if version is None and registration.register:
            version = len(attempts) + 1
            attempts[version] = attempt
        uri = f"runs:/{run}" if version is None else f"models:/{model}/{version}"
        return Registered(run=run, version=version, uri=uri)

    def aliases(self, model: str) -> dict[str, int]:
        """Return version by alias; empty for a model that is not known."""
        return dict(self._aliases.get(model, {}))

    def point(self, model: str, alias: str, version: int | None) -> None:
        """Make `alias` name `version`, or nothing.

        Raises:
            RegistryError: There is no such version.
        """
        if version is None:
            self._aliases.get(model, {}).pop(alias, None)
            return
        if version not in self._versions.get(model, {}):
            msg = f"cannot point {alias} of {model} to version {version}: there is no such version"
            raise RegistryError(msg)
        self._aliases.setdefault(model, {})[alias] = version
