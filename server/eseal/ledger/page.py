"""What one transaction writes: the rules by which an intent is admitted and an outcome counts."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from eseal.ledger import schema
from eseal.ledger.allowance import Allowance
from eseal.ledger.chain import canonical_array, request_digest
from eseal.ledger.recall import LOOK_UP_AT_ONCE, from_microseconds, read_entries, to_microseconds
from eseal.ledger.records import (
    Admission,
    Admitted,
    Busy,
    Claim,
    Conclusion,
    Entry,
    Intent,
    Lost,
    Outcome,
    OverQuota,
    Release,
    Resume,
    Reused,
    Settled,
    State,
)
from eseal.ledger.schema import POSITIONS
from eseal.ledger.tally import count
from eseal.ledger.writers import dead_writers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from eseal.ledger.chain import Chain
    from eseal.ledger.shelf import Shelf

LONGEST_WAIT_HINT = 1.0
TAKEN_OVER = "TAKEN_OVER"
OVER_QUOTA = "OVER_QUOTA"


class Page:
    """The rows that one transaction adds to the chain; ``conclude`` comes before ``intend``, ``write`` last."""

    def __init__(
        self, connection: Connection, chain: Chain, shelf: Shelf, *, lease: int, former: Collection[int] = ()
    ) -> None:
        """``lease`` is in microseconds; ``former`` are the writers that this process was before."""
        self.chain = chain
        self._former = former
        self._connection = connection
        self._shelf = shelf
        self._now = time.time_ns() // 1000
        self._claimed_until = self._now + lease
        self._intents: list[tuple[Any, ...]] = []
        self._outcomes: list[tuple[Any, ...]] = []
        # Signatures (empty: none) by the serial of their intent, both those found and those added here.
        self._concluded: dict[int, bytes] = {}
        self._uses: list[tuple[str, ...]] = []
        self._allowance = Allowance(connection, self._now)

    def conclude(self, outcomes: Sequence[Outcome], *, looking: bool) -> deque[Conclusion]:
        """Add the outcomes whose intent has none; ``looking`` tells whether to ask the database first."""
        conclusions: list[Conclusion] = [Release()] * len(outcomes)
        if quotas := {quota for outcome in outcomes if outcome.signature for quota in outcome.claim.quotas}:
            self._allowance.hold(quotas)
        if looking:
            self._look_up_concluded([outcome.claim.serial for outcome in outcomes])
        for place, outcome in enumerate(outcomes):
            signature = self._concluded.get(outcome.claim.serial)
            if signature is None and outcome.signature and (over := self._allowance.take(outcome.claim)):
                conclusions[place] = OverQuota(over)
                self._add_outcome(Outcome(outcome.claim, failure=OVER_QUOTA), State.FAILED)
            elif signature is None:
                self._add_outcome(outcome, State.FAILED if outcome.failure else State.SEALED)
            elif not signature or signature != outcome.signature:
                # The same signature again is the same call again, after a commit whose answer was lost.
                conclusions[place] = Lost()
        return deque(conclusions)

    def intend(self, intents: Sequence[Intent], *, looking: bool) -> deque[Admission]:
        """Add the intents that nothing stands against; ``looking`` as above."""
        requests = [request_digest(intent.caller, intent.request_id) for intent in intents]
        known = read_entries(self._connection, requests) if looking else {}
        dead = dead_writers(self._connection, [entry.claim.serial for entry in known.values()]) if known else set()
        dead.update(self._former)
        admissions: deque[Admission] = deque()
        added: dict[bytes, tuple[Intent, Claim]] = {}
        for intent, request in zip(intents, requests, strict=True):
            entry = known.get(request)
            if request in added:
                objection = self._objection(intent, self._just_added(*added[request]), dead)
            else:
                objection = self._objection(intent, entry, dead) if entry else None
            if objection is None:
                claim = self._admit(intent, request, entry)
                added[request] = (intent, claim)
                objection = Admitted(claim)
            admissions.append(objection)
        return admissions

    def write(self, insert_outcomes: str, insert_intents: str) -> None:
        """Insert the rows. All transactions insert in the order of their keys, so replicas wait and do not deadlock."""
        count(self._connection, self._uses, writer=self.chain.writer, now=self._now)
        if self._outcomes:
            self._outcomes.sort(key=lambda row: row[0])
            self._connection.exec_driver_sql(insert_outcomes, self._outcomes)
        if self._intents:
            self._intents.sort(key=lambda row: row[2])
            self._connection.exec_driver_sql(insert_intents, self._intents)

    def _look_up_concluded(self, serials: Sequence[int]) -> None:
        outcome = schema.outcome
        for start in range(0, len(serials), LOOK_UP_AT_ONCE):
            some = serials[start : start + LOOK_UP_AT_ONCE]
            rows = self._connection.execute(
                select(outcome.c.intent, outcome.c.signature).where(outcome.c.intent.in_(some))
            )
            self._concluded.update((row.intent, row.signature) for row in rows)

    def _objection(self, intent: Intent, entry: Entry, dead: set[int]) -> Admission | None:
        """Why ``intent`` may not be attempted next to what is known of its request; None if it may."""
        if (entry.intent.content_sha256, entry.intent.level) != (intent.content_sha256, intent.level):
            return Reused(entry)
        if entry.state is State.SEALED:
            return Settled(entry)
        remaining = to_microseconds(entry.claimed_until) - self._now
        held = remaining > 0 and entry.claim.serial // POSITIONS not in dead
        # An attempt that is being concluded in this very transaction is as good as held.
        if entry.state is State.INTENDED and (held or entry.claim.serial in self._concluded):
            return Busy(min(LONGEST_WAIT_HINT, max(0.05, remaining / 1_000_000)))
        if entry.intent.credential_id != intent.credential_id:
            return Resume(entry)
        return None

    def _just_added(self, intent: Intent, claim: Claim) -> Entry:
        """The entry of an intent that this transaction adds, for its twin in the same transaction."""
        return Entry(
            intent=intent,
            state=State.INTENDED,
            attempt=1,
            claim=claim,
            recorded=from_microseconds(self._now),
            claimed_until=from_microseconds(self._claimed_until),
        )

    def _admit(self, intent: Intent, request: bytes, entry: Entry | None) -> Claim:
        """Add an attempt, and first the outcome of the one that it takes over."""
        if entry and entry.state is State.INTENDED:
            self._add_outcome(Outcome(entry.claim, failure=TAKEN_OVER), State.ABANDONED)
        serial = self.chain.next_serial()
        row = (
            serial,
            self._now,
            request,
            entry.attempt + 1 if entry else 1,
            self._claimed_until,
            self._shelf.basis(intent),
            intent.request_id,
            intent.content_sha256,
            intent.credential_id,
            to_microseconds(intent.issued),
            self._shelf.text(intent.protected),
            intent.payload_sha256,
            intent.signing_digest,
        )
        self._intents.append((*row, self.chain.append("intent", row)))
        return Claim(serial, intent.mandate_ids, intent.quotas)

    def _add_outcome(self, outcome: Outcome, state: State) -> None:
        self._concluded[outcome.claim.serial] = outcome.signature
        if state is State.SEALED:
            self._uses.append(outcome.claim.mandate_ids)
        etsi_u = [self._shelf.text(text).hex() for text in outcome.etsi_u]
        row = (
            outcome.claim.serial,
            self.chain.next_serial(),
            self._now,
            state.value,
            outcome.signature,
            canonical_array(etsi_u).decode() if etsi_u else "",
            outcome.failure,
        )
        self._outcomes.append((*row, self.chain.append("outcome", row)))
