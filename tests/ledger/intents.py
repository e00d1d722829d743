"""Intents to write into a ledger under test."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eseal.ledger import Intent
from eseal.terms import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

CALLER = "https://registry.dcu.example/back-end"


def digest(text: str) -> bytes:
    """Any 32 bytes that depend on ``text``."""
    return hashlib.sha256(text.encode()).digest()


def intent(request_id: str, **changes: Any) -> Intent:
    """An intent for ``request_id``; each call gives it a credential id of its own, as issuance does."""
    fields: dict[str, Any] = {
        "caller": CALLER,
        "request_id": request_id,
        "content_sha256": digest(f"content of {request_id}"),
        "level": Level.B_B,
        "sealer": "NTRNL-08164880",
        "key_label": "seal-2026",
        "certificate_sha256": digest("certificate"),
        "member": "dcu",
        "awarding_bodies": ("dcu",),
        "mandate_ids": ("dcu-2026",),
        "self_issue": False,
        "register_sha256": digest("register"),
        "credential_id": f"urn:credential:{uuid.uuid4()}",
        "issued": datetime.now(UTC),
        "completion": b'{"issuer":{"legalName":"Stichting ECIU"}}',
        "protected": "eyJhbGciOiJFUzI1NiJ9",
        "payload_sha256": digest(f"payload of {request_id}"),
        "signing_digest": digest(f"signing input of {request_id}"),
    }
    return Intent(**fields | changes)


def keys(intents: Sequence[Intent]) -> list[tuple[str, str]]:
    """What recall finds these intents by."""
    return [(one.caller, one.request_id) for one in intents]
