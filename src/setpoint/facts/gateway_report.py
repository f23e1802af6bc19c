"""What one gateway process says of the deployment documents that it is given."""

import msgspec


class GatewayReport(msgspec.Struct, frozen=True, kw_only=True):
    """Which document a gateway follows, and what it cannot serve.

    Args:
        gateway: Names the process.
        at: When it was made, in seconds since 1970-01-01 UTC. A gateway that lives makes one every few seconds.
        generation: Generation of the document in force there; 0 before the first.
        ready: Versions that are verified, loaded and warm.
        refused: Why versions of the newest document cannot be served, by version as text; each was tried twice or more.
        problem: What else keeps the newest document from taking force, or empty.
    """

    gateway: str
    at: float
    generation: int = 0
    ready: tuple[int, ...] = ()
    refused: dict[str, str] = {}
    problem: str = ""
