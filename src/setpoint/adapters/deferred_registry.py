"""A registry that is opened in the background: MLflow takes a second to import, and a pass has other work meanwhile."""

import threading
from collections.abc import Callable
from pathlib import Path

from setpoint.facts.registration import Registered, Registration
from setpoint.ports.registry import Registry


class DeferredRegistry:
    """Opens a registry when it is first needed, or earlier in the background.

    Args:
        make: Opens it.
    """

    def __init__(self, make: Callable[[], Registry]) -> None:
        self._make = make
        self._turn = threading.Lock()
        self._registry: Registry | None = None

    def warm(self) -> None:
        """Begin to open it in the background; an error is raised where it is first needed."""
        threading.Thread(target=self._try, name="registry", daemon=True).start()

    def record(self, registration: Registration, folder: Path) -> Registered:
        """Log a finished attempt; see `setpoint.ports.registry`."""
        return self._open().record(registration, folder)

    def aliases(self, model: str) -> dict[str, int]:
        """Return version by alias."""
        return self._open().aliases(model)

    def point(self, model: str, alias: str, version: int | None) -> None:
        """Make `alias` name `version`, or nothing."""
        self._open().point(model, alias, version)

    def _open(self) -> Registry:
        with self._turn:
            if self._registry is None:
                self._registry = self._make()
            return self._registry

    def _try(self) -> None:
        with self._turn:
            if self._registry is not None:
                return
        try:
            self._open()
        except Exception:  # noqa: BLE001 - the same error is raised again where the registry is needed
            return
