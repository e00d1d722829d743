"""The life of a seal: one function that reads as its steps, over a batch.

One credential is a batch of one. A stage takes the values of the stage before and hands on values that prove what
happened to them: Parsed -> Granted -> Completed -> Checked -> Permit -> Signed -> Sealed. One item's failure settles
that item and never touches its neighbours. Each step crosses into Rust, the ledger and the HSM once for the whole batch.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from eseal import sealcore
from eseal.batch import Batch
from eseal.credential.building import parse
from eseal.credential.draft import Whole, content_digests, draft, payloads
from eseal.errors import EsealError
from eseal.issuance.answers import reused, wrong_signature
from eseal.issuance.needs import IssuanceSettings, KeyRoom, Keys, Ledger, MandatePolicy
from eseal.issuance.stages import Checked, Completed, Granted, IssueRequest, Parsed, Permit, Sealed, SealRequest, Signed
from eseal.issuance.steps import (
    admitted,
    assemble,
    check,
    claim,
    differs,
    grant,
    in_time,
    intent,
    last_deadline,
    of_size,
    released,
    replay,
    unique,
)
from eseal.jades.header import protected_header
from eseal.jades.levels import require_built
from eseal.ledger import Outcome, State
from eseal.terms import Algorithm, Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eseal.credential.draft import Draft
    from eseal.credential.page import Pages
    from eseal.issuance.needs import Sitting
    from eseal.terms import Caller

log = structlog.get_logger(__name__)

# RFC 7518 section 3.1: the digest that each algorithm signs.
DIGESTS: dict[Algorithm, sealcore.Digest] = {
    Algorithm.ES256: "sha256",
    Algorithm.ES384: "sha384",
    Algorithm.PS256: "sha256",
    Algorithm.RS256: "sha256",
}

__all__ = ["Issuance", "IssuanceSettings"]


class Issuance:
    """Issues and seals. Safe to call from many threads; blocking."""

    def __init__(
        self,
        *,
        settings: IssuanceSettings,
        policy: MandatePolicy,
        keys: Keys,
        key_room: KeyRoom,
        ledger: Ledger,
        pages: Pages,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._keys = keys
        self._key_room = key_room
        self._ledger = ledger
        self._pages = pages
        self._clock = clock

    def run(
        self,
        requests: Sequence[IssueRequest | SealRequest],
        *,
        caller: Caller,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[Sealed | EsealError]:
        """Seal a batch and answer each item in its place."""
        now = self._clock().replace(microsecond=0)
        # The sitting ends when all is recorded: until then its grants count against quotas for other batches, too.
        with self._policy.sitting(at=now) as sitting:
            return self._run(requests, sitting, now, caller=caller, lane=lane)

    def _run(
        self,
        requests: Sequence[IssueRequest | SealRequest],
        sitting: Sitting,
        now: datetime,
        *,
        caller: Caller,
        lane: Lane,
    ) -> list[Sealed | EsealError]:
        batch: Batch[Sealed] = Batch(len(requests))

        # 1. Build: Issue makes the credential, Seal parses the caller's. What was answered before is answered again.
        drafted = batch.each(unique(batch, requests), lambda request: (request, self._draft(request)))
        parsed = batch.together(drafted, self._parse)
        parsed = self._answer_known(batch, parsed, caller)

        # 2. Grant: may this caller have this sealed on behalf of these awarding bodies, today?
        granted = batch.each(parsed, lambda item: grant(item, caller, sitting))

        # 3. Complete: what only the sealer can add.
        completed = batch.each(granted, lambda item: self._complete(item, now))

        # 4. Check: every fault of the completed document, against its profiles and Annex I.
        checked = batch.together(completed, check)

        # 5. Canonicalise and hash: the bytes that were checked are the bytes that will be signed.
        permits = batch.together(checked, self._hash)
        permits = batch.each(permits, lambda permit: of_size(permit, self._settings.max_credential_bytes))

        # 6. Record the intent, before the key is touched.
        permits = batch.each(permits, in_time)
        permits = self._record_intents(batch, permits, caller)

        # 7. Sign the digest in the HSM.
        signed = self._sign(batch, permits, lane)

        # 8. Prove: nothing leaves that a verifier would refuse.
        proven = self._prove(batch, signed)

        # 9. Seal: assemble the JAdES document.
        sealed = batch.together(proven, assemble)

        # 10. Record the outcome, and answer.
        self._record_outcomes(batch, proven, sealed)
        return batch.outcomes()

    # --- Steps that need the house -----------------------------------------------------------------------------------

    def _draft(self, request: IssueRequest | SealRequest) -> Draft:
        """Step 1: the credential without the sealer's part."""
        require_built(request.level or self._settings.default_level)
        if isinstance(request, IssueRequest):
            return draft(request.micro_credential, request.learner)
        return Whole(parse(request.credential, max_bytes=self._settings.max_credential_bytes))

    def _parse(self, items: list[tuple[IssueRequest | SealRequest, Draft]]) -> list[Parsed]:
        """Step 1: with the digest by which the same content is known again."""
        settings = self._settings
        return [
            Parsed(
                request_id=request.request_id,
                draft=one,
                content_sha256=digest,
                level=request.level or settings.default_level,
                strict_annex_i=settings.strict_annex_i_on_issue
                if isinstance(request, IssueRequest)
                else settings.strict_annex_i_on_seal,
                deadline=request.deadline,
                display=request.micro_credential.display if isinstance(request, IssueRequest) else None,
            )
            for (request, one), digest in zip(items, content_digests([one for _, one in items]), strict=True)
        ]

    def _answer_known(self, batch: Batch[Sealed], parsed: dict[int, Parsed], caller: Caller) -> dict[int, Parsed]:
        """Answer what the ledger has the answer to; the rest goes on, with what is known of an earlier attempt."""
        known = batch.together(parsed, lambda items: self._recall(items, caller))
        replays = {place: item for place, item in known.items() if item.entry and item.entry.state is State.SEALED}
        for place, sealed in batch.each(replays, replay).items():
            batch.settle(place, sealed)
        return {place: item for place, item in known.items() if place not in replays}

    def _recall(self, items: list[Parsed], caller: Caller) -> list[Parsed | EsealError]:
        """Look every request id up; one used before for other content is refused here, before any policy."""
        entries = self._ledger.recall([(caller.uri, item.request_id) for item in items])
        return [
            item if entry is None else reused(item) if differs(item, entry) else replace(item, entry=entry)
            for item, entry in zip(items, entries, strict=True)
        ]

    def _complete(self, item: Granted, now: datetime) -> Completed:
        """Step 3: issuer, dates, evidence, profiles. A request keeps its first credential id for ever.

        It keeps its first issue time too, unless the key that seals by now was not valid then: no verifier takes a seal
        that claims a time before its certificate's notBefore, and nothing that claims the earlier time has left.
        """
        earlier, draft = item.parsed.entry, item.parsed.draft
        key = self._keys.sealing_for(item.grant, at=now)
        completion = draft.completion(
            sealer=key.sealer, grant=item.grant, display=item.parsed.display, pages=self._pages
        )
        credential_id = earlier.intent.credential_id if earlier else draft.credential_id()
        issued = earlier.intent.issued if earlier and key.is_valid_at(earlier.intent.issued) else now
        credential = draft.complete(completion, credential_id=credential_id, issued=issued)
        return Completed(item, key, credential, completion, credential_id, issued)

    def _hash(self, items: list[Checked]) -> list[Permit]:
        """Step 5: payload, protected header and the digest to sign, for the batch at once."""
        contents = payloads([item.completed.credential for item in items])
        payload_digests = sealcore.digest_many("sha256", contents)
        headers = self._headers(items)
        algorithms = [DIGESTS[item.completed.key.key.algorithm] for item in items]
        signing_digests: dict[int, bytes] = {}
        for digest in dict.fromkeys(algorithms):
            chosen = [n for n, algorithm in enumerate(algorithms) if algorithm == digest]
            made = sealcore.signing_digests(
                digest, [headers[n] for n in chosen], [contents[n] for n in chosen], b64=False
            )
            signing_digests.update(zip(chosen, made, strict=True))
        return [
            Permit(item, contents[n], payload_digests[n], headers[n], signing_digests[n])
            for n, item in enumerate(items)
        ]

    def _headers(self, items: list[Checked]) -> list[str]:
        """Build the protected headers; those of one key and second are equal, and made once."""
        made: dict[tuple[str, datetime], str] = {}
        headers = []
        for item in items:
            key, issued = item.completed.key.key, item.completed.issued
            at = (key.label, issued)
            if at not in made:
                made[at] = protected_header(key, signing_time=issued, claimed_time=self._settings.claimed_time)
            headers.append(made[at])
        return headers

    def _record_intents(self, batch: Batch[Sealed], permits: dict[int, Permit], caller: Caller) -> dict[int, Permit]:
        """Step 6: one transaction. Whoever sealed the same request meanwhile has the answer."""

        def admit(items: list[Permit]) -> list[Permit | EsealError]:
            admissions = self._ledger.intend([intent(permit, caller) for permit in items])
            return [admitted(permit, admission) for permit, admission in zip(items, admissions, strict=True)]

        return batch.together(permits, admit)

    def _sign(self, batch: Batch[Sealed], permits: dict[int, Permit], lane: Lane) -> dict[int, Signed]:
        """Step 7: the key room, once for each key of the batch; what could not be signed is recorded as failed."""

        def sign(items: list[Permit]) -> list[Signed | EsealError]:
            answers: dict[int, bytes | EsealError] = {}
            for key in {item.key.key.label: item.key.key for item in items}.values():
                chosen = [n for n, item in enumerate(items) if item.key.key == key]
                deadline = last_deadline([items[n] for n in chosen])
                digests = [items[n].redeem() for n in chosen]
                signatures = self._key_room.sign(key, digests, lane=lane, deadline=deadline)
                answers.update(zip(chosen, signatures, strict=True))
            return [
                answer if isinstance(answer := answers[n], EsealError) else Signed(item, answer)
                for n, item in enumerate(items)
            ]

        signed = batch.together(permits, sign)
        self._record_failures([permit for place, permit in permits.items() if place not in signed], "NOT_SIGNED")
        return signed

    def _prove(self, batch: Batch[Sealed], signed: dict[int, Signed]) -> dict[int, Signed]:
        """Step 8: verify each fresh signature with the certificate's public key, over the bytes that will leave."""

        def prove(items: list[Signed]) -> list[Signed | EsealError]:
            verdicts = sealcore.verify_many(
                [item.permit.key.public_key for item in items],
                [item.permit.key.key.algorithm for item in items],
                [item.permit.protected for item in items],
                [item.permit.payload for item in items],
                [item.signature for item in items],
                b64=False,
            )
            return [item if proven else wrong_signature(item) for item, proven in zip(items, verdicts, strict=True)]

        proven = batch.together(signed, prove)
        wrong = [item.permit for place, item in signed.items() if place not in proven]
        self._record_failures(wrong, "WRONG_SIGNATURE")
        return proven

    def _record_outcomes(self, batch: Batch[Sealed], proven: dict[int, Signed], sealed: dict[int, Sealed]) -> None:
        """Step 10: one transaction; only what is durable leaves."""

        def conclude(places: list[int]) -> list[Sealed | EsealError]:
            outcomes = [Outcome(claim(proven[place].permit), signature=proven[place].signature) for place in places]
            conclusions = self._ledger.conclude(outcomes)
            return [released(sealed[place], conclusion) for place, conclusion in zip(places, conclusions, strict=True)]

        for place, answer in batch.together({place: place for place in sealed}, conclude).items():
            batch.settle(place, answer)

    def _record_failures(self, permits: Sequence[Permit], failure: str) -> None:
        """Give these attempts up. Where even that fails, their leases run out by themselves."""
        if not permits:
            return
        try:
            self._ledger.conclude([Outcome(claim(permit), failure=failure) for permit in permits])
        except EsealError as error:
            log.warning("failure_not_recorded", count=len(permits), reason=error.reason)
