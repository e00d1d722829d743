"""What goes into the ledger and what comes back: intents, claims, outcomes, entries.

None of it is learner data: digests, ids and what the sealer itself added. A request id is the caller's own word and
should say nothing about a person (a UUID, or a digest of the content).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from eseal.terms import Level, QuotaInForce


class State(StrEnum):
    """How far an attempt to seal came.

    INTENDED has no outcome yet. SEALED has a signature, released or about to be: it is final. FAILED was given up by
    its own worker, ABANDONED taken away from a worker that is dead or too slow; either may be attempted again.
    """

    INTENDED = "INTENDED"
    SEALED = "SEALED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to be signed, by what right, written before the key is touched.

    ``content_sha256`` is the digest of what the caller sent; ``sealer`` an organizationIdentifier; ``member`` and
    ``awarding_bodies`` are named as the mandate register names them. ``completion`` (canonical JSON) is what the sealer
    added, and the same for every credential of its kind: it is stored once a digest, as is ``protected``, the JWS
    protected header (base64url). ``payload_sha256`` is of the completed credential's canonical bytes. ``quotas`` are not
    recorded: they are held when the outcome is.
    """

    caller: str
    request_id: str
    content_sha256: bytes
    level: Level
    sealer: str
    key_label: str
    certificate_sha256: bytes
    member: str
    awarding_bodies: tuple[str, ...]
    mandate_ids: tuple[str, ...]
    self_issue: bool
    register_sha256: bytes
    credential_id: str
    issued: datetime
    completion: bytes
    protected: str
    payload_sha256: bytes
    signing_digest: bytes
    quotas: tuple[QuotaInForce, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to conclude one attempt: its place in the ledger, and the mandates that its seal will count under.

    ``quotas`` are those that the seal must not go over.
    """

    serial: int
    mandate_ids: tuple[str, ...] = ()
    quotas: tuple[QuotaInForce, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request as the ledger knows it: its latest attempt, and what came of that.

    ``signature`` is the raw JWS signature and ``etsi_u`` the unprotected header's strings, both empty unless SEALED.
    ``failure`` is a reason word, empty unless FAILED or ABANDONED. ``recorded`` and ``concluded`` are when the rows of
    intent and outcome were written; ``claimed_until`` is when the attempt may be taken over.
    """

    intent: Intent
    state: State
    attempt: int
    claim: Claim
    recorded: datetime
    claimed_until: datetime
    concluded: datetime | None = None
    signature: bytes = b""
    etsi_u: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The intent is recorded: sign, then conclude with this claim."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Settled:
    """Somebody sealed this request meanwhile: answer from the entry."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Resume:
    """An earlier attempt came to nothing, and the intent does not carry its credential id.

    Nothing was recorded. Build the credential again with the entry's ``credential_id`` and intend that.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class Busy:
    """A live worker is sealing this request; ask again after so many seconds."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class Reused:
    """The request id was used before for other content, or for another level. Nothing was recorded."""

    entry: Entry


Admission = Admitted | Settled | Resume | Busy | Reused


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: a signature, or a reason word (UPPER_SNAKE_CASE) why there is none."""

    claim: Claim
    signature: bytes = b""
    etsi_u: tuple[str, ...] = ()
    failure: str = ""

    def __post_init__(self) -> None:
        if bool(self.signature) is bool(self.failure):
            message = "an outcome is either a signature or a failure"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Release:
    """The outcome is durable. A seal may leave the house only with this in hand."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The attempt was taken over: its signature must be thrown away. Recall the request for what stands instead."""


@dataclass(frozen=True, slots=True)
class OverQuota:
    """The seal would go over a quota: the attempt is recorded as failed, and its signature must be thrown away."""

    quota: QuotaInForce


Conclusion = Release | Lost | OverQuota
