"""Batches as messages, and reports out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from eseal_client.errors import EsealError
from eseal_client.wire import issuance_pb2, verification_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal_client.wire.credential_pb2 import Learner, Level, MicroCredential

Item = TypeVar("Item")

# A message takes no more items once it has so many bytes: no server takes messages of any size.
MESSAGE_BYTES = 8 * 1024 * 1024


def filled(items: Iterator[tuple[str, Item]], *, most: int, room: int = MESSAGE_BYTES) -> list[tuple[str, Item]]:
    """Take what makes a message from ``items``: at most so many, and no more once they fill its ``room`` in bytes."""
    batch: list[tuple[str, Item]] = []
    for request_id, item in items:
        batch.append((request_id, item))
        room -= _size(item)
        if len(batch) == most or room <= 0:
            break
    return batch


def _size(item: object) -> int:
    if isinstance(item, Message):
        return item.ByteSize()
    return len(item) if isinstance(item, bytes) else 0


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
