"""What the stages of issuance hand on: each value proves what happened to the one before.

IssueRequest | SealRequest -> Parsed -> Granted -> Completed -> Checked -> Permit -> Signed -> Sealed
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eseal.errors import Internal

if TYPE_CHECKING:
    from datetime import datetime

    from eseal.credential.completion import Completion
    from eseal.credential.draft import CompletedDraft, Draft
    from eseal.credential.micro_credential import Display, Learner, MicroCredential
    from eseal.ledger import Claim, Entry
    from eseal.sealcore import PublicKey
    from eseal.terms import AwardFacts, Grant, LegalEntity, Level, SealKey


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A seal key, whom its certificate names, the public key that proves its signatures, and when it is valid."""

    key: SealKey
    sealer: LegalEntity
    public_key: PublicKey
    valid_from: datetime
    valid_to: datetime
    certificate_sha256: bytes

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether its certificate allows a seal that claims ``moment``."""
        return self.valid_from <= moment <= self.valid_to


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """Build this credential and seal it. ``level`` None means the server's default; ``deadline`` is monotonic time."""

    request_id: str
    micro_credential: MicroCredential
    learner: Learner
    level: Level | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """Seal this credential (JSON bytes). ``level`` None means the server's default; ``deadline`` is monotonic time."""

    request_id: str
    credential: bytes
    level: Level | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A request whose credential is drafted.

    ``content_sha256`` is of what the caller sent, before completion; ``display`` how Issue was asked to render pages.
    """

    request_id: str
    draft: Draft
    content_sha256: bytes
    level: Level
    strict_annex_i: bool
    deadline: float | None = None
    display: Display | None = None
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """The policy said yes."""

    parsed: Parsed
    facts: AwardFacts
    grant: Grant


@dataclass(frozen=True, slots=True)
class Completed:
    """The sealer's part is in the credential."""

    granted: Granted
    key: SealingKey
    credential: CompletedDraft
    completion: Completion
    credential_id: str
    issued: datetime


@dataclass(frozen=True, slots=True)
class Checked:
    """The completed document has no fault against its profiles."""

    completed: Completed


@dataclass(slots=True)
class Permit:
    """The right to sign one digest, once: that of the document that was checked, for the request that was granted."""

    checked: Checked
    payload: bytes
    payload_sha256: bytes
    protected: str
    signing_digest: bytes
    claim: Claim | None = None
    _redeemed: bool = field(default=False, repr=False)

    @property
    def deadline(self) -> float | None:
        """When nobody waits for it any more (monotonic time); None where that is never."""
        return self.checked.completed.granted.parsed.deadline

    @property
    def key(self) -> SealingKey:
        """The one key that this permit is for."""
        return self.checked.completed.key

    def redeem(self) -> bytes:
        """Hand over the digest to sign; a second time is a fault of ours."""
        if self._redeemed or self.claim is None:
            raise Internal("PERMIT_SPENT", "A permit to sign was used twice or before its intent was recorded.")
        self._redeemed = True
        return self.signing_digest


@dataclass(frozen=True, slots=True)
class Signed:
    """The HSM's signature over the permit's digest."""

    permit: Permit
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What the caller gets. ``replayed`` says that it was sealed by an earlier call."""

    request_id: str
    sealed: bytes
    credential_id: str
    level: Level
    payload_sha256: bytes
    mandate_ids: tuple[str, ...]
    key_label: str
    replayed: bool = False
