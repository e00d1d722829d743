"""What issuance needs of other rooms: each a Protocol that says only what is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from eseal.errors import EsealError
    from eseal.issuance.stages import SealingKey
    from eseal.jades.header import ClaimedTime
    from eseal.ledger import Admission, Conclusion, Entry, Intent, Outcome
    from eseal.terms import AwardFacts, Caller, Grant, Lane, Level, SealKey


class Sitting(Protocol):
    """The mandate policy's decisions over one batch: what it granted counts against the quotas of what follows.

    A context manager around the whole batch: until its end, what it granted counts for other batches, too.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def grant(self, caller: Caller, facts: AwardFacts) -> Grant:
        """Grant, or raise MandateRefused or CallerRefused with every rule that refuses."""


class MandatePolicy(Protocol):
    """Decides whether a seal may be made; see docs/mandate.md."""

    def sitting(self, *, at: datetime) -> Sitting:
        """Open the decisions of one batch: one state of the register, one day."""


class KeyRoom(Protocol):
    """Where the key is, and nothing but the key."""

    def sign(
        self, key: SealKey, digests: Sequence[bytes], *, lane: Lane, deadline: float | None
    ) -> list[bytes | EsealError]:
        """Sign each digest; the answer per digest is the raw JWS signature, or why there is none."""


class Ledger(Protocol):
    """What was intended and what came of it; see eseal.ledger. Each call is one durable transaction."""

    def recall(self, keys: Sequence[tuple[str, str]]) -> list[Entry | None]:
        """What is known of each (caller, request id)."""

    def intend(self, intents: Sequence[Intent]) -> list[Admission]:
        """Record what is about to be signed."""

    def conclude(self, outcomes: Sequence[Outcome]) -> list[Conclusion]:
        """Record what came of it."""


class Keys(Protocol):
    """The seal keys of this house."""

    def sealing_for(self, grant: Grant, *, at: datetime) -> SealingKey:
        """The key that seals what ``grant`` allows, for a seal that claims the time ``at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceSettings:
    """How seals are made here.

    The level where the caller names none, how the signing time is claimed, how strictly Annex I is held (a missing
    mandatory element refuses), and how many bytes a credential may have.
    """

    default_level: Level
    claimed_time: ClaimedTime
    strict_annex_i_on_issue: bool = True
    strict_annex_i_on_seal: bool = False
    max_credential_bytes: int = 8 * 1024 * 1024
