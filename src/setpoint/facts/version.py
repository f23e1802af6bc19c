"""A model version: what the loop must remember of one candidate that was registered."""

import msgspec


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version came from.

    Args:
        snapshot: Digest of the rows it was trained on.
        contract: Digest of the contract.
        lock: Digest of the installed packages and their versions.
        commit: Git commit of the project, or empty outside a repository.
        dirty: Whether the work tree had uncommitted changes; None outside a repository.
    """

    snapshot: str
    contract: str
    lock: str = ""
    commit: str = ""
    dirty: bool | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a version has trained on, so that no gate ever judges it by them.

    Args:
        by: `time` (rows up to `until`) or `hash` (rows whose part under `seed` is not test).
        table: Stored table the positions below refer to; other tables are compared by tick or hash.
        until_row: Position after the last training row, for `time`.
        until: Tick of the last training row, for `time` with a time axis.
        seed: Seed of the hash.
        test_share: Share of the hash range that is test.
    """

    by: str
    table: str
    until_row: int = 0
    until: float | None = None
    seed: int = 0
    test_share: float = 0.0


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One registered version.

    Args:
        version: Number of the version; grows by one.
        attempt: The attempt that made it; a registry holds at most one version for each.
        artifact: Digest over the bundle's files: what gates judged and gateways load.
        behaviour: Digest of the answers on recorded probe rows.
        runtime: `onnx` or `native`.
        job: Key of the training job that made it.
        met: The champion that it was measured against; 0 for none.
        run: Run id in the registry.
        lineage: Where it came from.
        seen: Rows it trained on.
        metrics: Metrics on the gate's rows.
        intervals: Interval of each metric on those rows.
        label_shares: Share of each class among its training rows.
        label_effect: Training rows that are worth one independent row, for comparing label shares.
        trained_rows: Number of training rows.
        registered_at: Tick of registration.
    """

    version: int
    attempt: str
    artifact: str
    behaviour: str
    runtime: str
    job: str = ""
    met: int = 0
    run: str = ""
    lineage: Lineage
    seen: Seen
    metrics: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}
    label_shares: dict[str, float] = {}
    label_effect: float = 1.0
    trained_rows: int = 0
    registered_at: float = 0.0
