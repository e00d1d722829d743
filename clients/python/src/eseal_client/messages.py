"""Batches as messages, and reports out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal_client.errors import EsealError
from eseal_client.wire import issuance_pb2, verification_pb2

if TYPE_CHECKING:
    from eseal_client.wire.credential_pb2 import Learner, Level, MicroCredential


def issue_batch(
    items: list[tuple[str, Learner]], micro_credential: MicroCredential | None, level: Level
) -> issuance_pb2.IssueStreamRequest:
    """Learners of a course; the course itself goes with the first batch of a stream."""
    return issuance_pb2.IssueStreamRequest(
        micro_credential=micro_credential,
        items=[issuance_pb2.IssueItem(request_id=request_id, learner=learner) for request_id, learner in items],
        level=level,
    )


def seal_batch(items: list[tuple[str, bytes]], level: Level) -> issuance_pb2.SealStreamRequest:
    """Credentials to seal."""
    return issuance_pb2.SealStreamRequest(
        items=[
            issuance_pb2.SealRequest(request_id=request_id, credential=credential, level=level)
            for request_id, credential in items
        ]
    )


def verify_batch(items: list[tuple[str, bytes]]) -> verification_pb2.VerifyStreamRequest:
    """Documents to verify."""
    return verification_pb2.VerifyStreamRequest(
        items=[
            verification_pb2.VerifyItem(
                request_id=request_id, document=verification_pb2.VerifyRequest(document=document)
            )
            for request_id, document in items
        ]
    )


def report(result: verification_pb2.VerifyResult) -> verification_pb2.VerifyResponse | EsealError:
    """The report on one item, or why there is none."""
    return result.report if result.WhichOneof("outcome") == "report" else EsealError(result.status)
