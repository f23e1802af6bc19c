"""The client: what programs ask a gateway with. The names below are for them; the modules are ours.

Belongs here: requests, answers, errors, connections, repetitions. Never here: anything but the standard library and
msgspec, for it is imported into other people's programs; an environment variable; a word on what an answer means.
"""

from setpoint.client.answer import Answer, Metadata, Readiness, Recorded, Tensor
from setpoint.client.async_client import AsyncClient
from setpoint.client.blocking import Client
from setpoint.client.failures import (
    ClientError,
    DeadlineError,
    Flaw,
    GatewayFailedError,
    OverloadedError,
    RequestRefusedError,
    UnreachableError,
    UnreadableAnswerError,
)
from setpoint.client.retries import Retries

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ClientError",
    "DeadlineError",
    "Flaw",
    "GatewayFailedError",
    "Metadata",
    "OverloadedError",
    "Readiness",
    "Recorded",
    "RequestRefusedError",
    "Retries",
    "Tensor",
    "UnreachableError",
    "UnreadableAnswerError",
]
