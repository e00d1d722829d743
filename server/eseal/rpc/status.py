"""The error family on the wire: google.rpc.Status with the standard details (AIP-193).

ErrorInfo always (reason, domain ``eseal``); BadRequest for faults in the input; PreconditionFailure for each rule of
the mandate policy that refuses; RetryInfo where trying again helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from eseal.errors import CallerRefused, EsealError, InvalidInput, MandateRefused, RetryLater

if TYPE_CHECKING:
    from google.protobuf.message import Message

_Detail = TypeVar("_Detail", bound="Message")

DOMAIN = "eseal"

# gRPC carries a status in the trailing metadata, which most clients bound at 8 KiB (base64 included): a longer list of
# faults is cut, and ErrorInfo's metadata says how many there are.
MOST_DETAIL_BYTES = 4_500
# A message quotes what the caller sent, which may be of any length.
MOST_TEXT_CHARACTERS = 400


def status(error: EsealError) -> status_pb2.Status:
    """Say ``error`` as google.rpc.Status."""
    details: list[Message] = []
    metadata = dict(error.metadata)
    if isinstance(error, InvalidInput) and error.faults:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(
                field=_short(fault.pointer), description=_short(fault.message), reason=_reason(fault.rule)
            )
            for fault in error.faults
        ]
        metadata["faults"] = str(len(violations))
        details.append(error_details_pb2.BadRequest(field_violations=_that_fit(violations)))
    if isinstance(error, (MandateRefused, CallerRefused)) and error.refusals:
        refusals = [
            error_details_pb2.PreconditionFailure.Violation(
                type=refusal.rule, subject=_short(refusal.subject), description=_short(refusal.message)
            )
            for refusal in error.refusals
        ]
        metadata["refusals"] = str(len(refusals))
        details.append(error_details_pb2.PreconditionFailure(violations=_that_fit(refusals)))
    if isinstance(error, RetryLater):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    details.insert(0, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    return status_pb2.Status(
        code=code_pb2.Code.Value(error.code),
        message=_short(error.message),
        details=[_packed(detail) for detail in details],
    )


def grpc_code(error: EsealError) -> grpc.StatusCode:
    """The gRPC status code of ``error``."""
    return grpc.StatusCode[error.code]


def _that_fit(details: list[_Detail]) -> list[_Detail]:
    """The leading details whose serialised size stays within the bound; always at least one."""
    room = MOST_DETAIL_BYTES
    for count, detail in enumerate(details):
        room -= detail.ByteSize()
        if room < 0:
            return details[: max(count, 1)]
    return details


def _short(text: str) -> str:
    """The text, or its beginning and its end: a pointer ends with what is wrong, a message with what is known."""
    if len(text) <= MOST_TEXT_CHARACTERS:
        return text
    half = MOST_TEXT_CHARACTERS // 2
    return f"{text[:half]} … {text[-half:]}"


def _reason(rule: str) -> str:
    """A rule's name as an UPPER_SNAKE_CASE reason, which is what AIP-193 asks of FieldViolation.reason."""
    return "".join(letter if letter.isalnum() else "_" for letter in rule).upper()


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
