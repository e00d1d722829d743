"""What is said to a caller whose item is not sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from eseal.errors import InvalidInput, RequestIdReused, Unavailable
from eseal.terms import Fault

if TYPE_CHECKING:
    from eseal.issuance.stages import Parsed, Signed

log = structlog.get_logger(__name__)


def invalid(faults: list[Fault]) -> InvalidInput:
    """Name the first fault in the sentence, and hold all of them."""
    first = faults[0]
    return InvalidInput(
        "CREDENTIAL_INVALID",
        f"The credential has {len(faults)} fault(s). First, at {first.pointer or '/'}: {first.message}",
        faults=faults,
    )


def too_large(size: int, most: int) -> InvalidInput:
    """Refuse a credential that is larger than the operator allows."""
    rule = f"A credential has at most {most} bytes ([seal] max_credential_bytes); completed, this one has {size}."
    return InvalidInput(
        "CREDENTIAL_TOO_LARGE",
        f"{rule} Its pages and attachments are in it, a third larger than their files.",
        faults=[Fault("", "max-credential-bytes", rule)],
    )


def reused(item: Parsed) -> RequestIdReused:
    """Refuse a request id that stands for other content."""
    return RequestIdReused(
        "REQUEST_ID_REUSED",
        "This request id was used before for other content or another level; a new credential needs a new request id.",
        metadata={"request_id": item.request_id},
    )


def bad_request_id(rule: str) -> InvalidInput:
    """Refuse a request id that cannot serve as a key."""
    return InvalidInput(
        "REQUEST_ID_INVALID",
        f"A request id {rule}.",
        faults=[Fault("request_id", "request-id", f"A request id {rule}.")],
    )


def under_way(retry_after: float) -> Unavailable:
    """Ask to come back while another call seals the same request."""
    return Unavailable(
        "REQUEST_UNDER_WAY",
        "The same request is being sealed right now by another call; send it again for its answer.",
        retry_after=retry_after,
    )


def overtaken() -> Unavailable:
    """Ask to come back: another call took the request over, and this signature was thrown away."""
    return Unavailable(
        "REQUEST_OVERTAKEN",
        "This request took longer than its lease and another call has taken it over; send it again for its answer.",
        retry_after=0.1,
    )


def wrong_signature(item: Signed) -> Unavailable:
    """Ask to come back after the HSM returned a signature that its own certificate does not verify; the log has it."""
    log.error("wrong_signature", key_label=item.permit.key.key.label)
    return Unavailable(
        "SIGNATURE_NOT_PROVEN",
        "The HSM returned a signature that does not verify; it was thrown away. Send the request again.",
        retry_after=1.0,
    )
