"""What comes back, checked before it is handed on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rfc8785

from eseal_client.errors import EsealError, PayloadMismatch

if TYPE_CHECKING:
    from eseal_client.wire.issuance_pb2 import IssueResponse, ItemResult, SealResponse


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed credential. Store ``sealed`` byte for byte, as a ``.jsonld`` file.

    ``level`` is the number of ``Level``; ``payload_sha256`` is over the RFC 8785 bytes of the credential.
    """

    request_id: str
    sealed: bytes
    credential_id: str
    level: int
    payload_sha256: bytes
    mandate_ids: tuple[str, ...]


def sealed(request_id: str, response: IssueResponse | SealResponse, *, check: bool) -> Sealed:
    """Take a response. ``check``: parse the payload and canonicalise it anew; PayloadMismatch where that differs.

    The digest over the payload's bytes is compared in any case.
    """
    payload: str = json.loads(response.sealed)["payload"]
    if hashlib.sha256(payload.encode()).digest() != response.payload_sha256:
        raise PayloadMismatch(
            f"The sealed document of request {request_id} does not hold the payload it was sealed for."
        )
    if check and rfc8785.dumps(json.loads(payload)) != payload.encode():
        raise PayloadMismatch(f"The payload of request {request_id} is not in RFC 8785 form.")
    return Sealed(
        request_id,
        response.sealed,
        response.credential_id,
        response.level,
        response.payload_sha256,
        tuple(response.mandate_ids),
    )


def item(result: ItemResult, *, check: bool) -> Sealed | EsealError:
    """Take one item of a batch: sealed, or the error that it came to."""
    if result.WhichOneof("outcome") == "sealed":
        try:
            return sealed(result.request_id, result.sealed, check=check)
        except PayloadMismatch as error:
            return error
    return EsealError(result.status)
