"""A typed client of the eseal server: sync and async, one call or a hundred thousand.

Every request carries a request id. Sending the same request again is always safe: the server answers it with the same
bytes and seals nothing twice. So this client sends again by itself, with the same id, whatever was UNAVAILABLE.
"""

from eseal_client.asynchronous import AsyncClient
from eseal_client.connection import Connection, Identity
from eseal_client.errors import EsealError, PayloadMismatch
from eseal_client.files import read_learner, read_micro_credential
from eseal_client.results import Sealed
from eseal_client.synchronous import Client
from eseal_client.wire.credential_pb2 import Learner, Level, MicroCredential
from eseal_client.wire.issuance_pb2 import ExplainMandateResponse
from eseal_client.wire.verification_pb2 import Verdict, VerifyResponse

__all__ = [
    "AsyncClient",
    "Client",
    "Connection",
    "EsealError",
    "ExplainMandateResponse",
    "Identity",
    "Learner",
    "Level",
    "MicroCredential",
    "PayloadMismatch",
    "Sealed",
    "Verdict",
    "VerifyResponse",
    "read_learner",
    "read_micro_credential",
]
