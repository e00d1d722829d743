"""The life of a seal: one function that reads as its steps, over a batch.

One credential is a batch of one. A stage takes the values of the stage before and hands on values that prove what
happened to them: Parsed -> Granted -> Completed -> Checked -> Permit -> Signed -> Sealed. One item's failure settles
that item and never touches its neighbours. Each step crosses into Rust, the ledger and the HSM once for the whole batch.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from eseal import sealcore
from eseal.batch import Batch
from eseal.credential.annex_i import annex_i
from eseal.credential.building import build, parse
from eseal.credential.checking import check_many
from eseal.credential.completion import Completion, complete, credential_id_of
from eseal.credential.facts import award_facts
from eseal.errors import DeadlineExceeded, EsealError, Internal, InvalidInput, RequestIdReused, Unavailable
from eseal.jades.header import protected_header
from eseal.jades.levels import require_built
from eseal.jades.writing import seal_many
from eseal.ledger import Admitted, Busy, Intent, Outcome, Release, Reused, State
from eseal.stages import Checked, Completed, Granted, IssueRequest, Parsed, Permit, Sealed, SealRequest, Signed
from eseal.terms import Algorithm, Fault, Lane, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eseal.credential.page import Pages
    from eseal.jades.header import ClaimedTime
    from eseal.ledger import Admission, Claim, Conclusion, Entry
    from eseal.stages import SealingKey
    from eseal.terms import AwardFacts, Caller, Grant, SealKey

log = structlog.get_logger(__name__)

# RFC 7518 section 3.1: the digest that each algorithm signs.
DIGESTS: dict[Algorithm, sealcore.Digest] = {
    Algorithm.ES256: "sha256",
    Algorithm.ES384: "sha384",
    Algorithm.PS256: "sha256",
    Algorithm.RS256: "sha256",
}
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Sitting(Protocol):
    """The mandate policy's decisions over one batch: what it granted counts against the quotas of what follows."""

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

    def sealing_for(self, grant: Grant) -> SealingKey:
        """The key that seals what ``grant`` allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceSettings:
    """How seals are made here.

    The level where the caller names none, how the signing time is claimed, how strictly Annex I is held (a missing
    mandatory element refuses), and the size in bytes of a credential that Seal takes.
    """

    default_level: Level
    claimed_time: ClaimedTime
    strict_annex_i_on_issue: bool = True
    strict_annex_i_on_seal: bool = False
    max_credential_bytes: int = 8 * 1024 * 1024


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
        deadline: float | None = None,
    ) -> list[Sealed | EsealError]:
        """Seal a batch and answer each item in its place. ``deadline`` is monotonic time."""
        batch: Batch[Sealed] = Batch(len(requests))
        now = self._clock().replace(microsecond=0)
        sitting = self._policy.sitting(at=now)

        # 1. Build: Issue makes the credential, Seal parses the caller's. What was answered before is answered again.
        parsed = batch.each(_unique(batch, requests), self._parse)
        parsed = self._answer_known(batch, parsed, caller)

        # 2. Grant: may this caller have this sealed on behalf of these awarding bodies, today?
        granted = batch.each(parsed, lambda item: _grant(item, caller, sitting))

        # 3. Complete: what only the sealer can add.
        completed = batch.each(granted, lambda item: self._complete(item, now))

        # 4. Check: every fault of the completed document, against its profiles and Annex I.
        checked = batch.together(completed, _check)

        # 5. Canonicalise and hash: the bytes that were checked are the bytes that will be signed.
        permits = batch.together(checked, self._hash)

        # 6. Record the intent, before the key is touched.
        permits = batch.each(permits, lambda permit: _in_time(permit, deadline))
        permits = self._record_intents(batch, permits, caller)

        # 7. Sign the digest in the HSM.
        signed = self._sign(batch, permits, lane, deadline)

        # 8. Prove: nothing leaves that a verifier would refuse.
        proven = self._prove(batch, signed)

        # 9. Seal: assemble the JAdES document.
        sealed = batch.together(proven, _assemble)

        # 10. Record the outcome, and answer.
        self._record_outcomes(batch, proven, sealed)
        return batch.outcomes()

    # --- Steps that need the house -----------------------------------------------------------------------------------

    def _parse(self, request: IssueRequest | SealRequest) -> Parsed:
        """Step 1: the document, and the digest by which the same content is known again."""
        level = request.level or self._settings.default_level
        require_built(level)
        if isinstance(request, IssueRequest):
            document = build(request.micro_credential, request.learner)
            display = request.micro_credential.display
            strict = self._settings.strict_annex_i_on_issue
        else:
            document = parse(request.credential, max_bytes=self._settings.max_credential_bytes)
            display = None
            strict = self._settings.strict_annex_i_on_seal
        return Parsed(
            request_id=request.request_id,
            document=document,
            content_sha256=document.digest("sha256"),
            level=level,
            strict_annex_i=strict,
            display=display,
        )

    def _answer_known(self, batch: Batch[Sealed], parsed: dict[int, Parsed], caller: Caller) -> dict[int, Parsed]:
        """Answer what the ledger has the answer to; the rest goes on, with what is known of an earlier attempt."""
        known = batch.together(parsed, lambda items: self._recall(items, caller))
        replays = {place: item for place, item in known.items() if item.entry and item.entry.state is State.SEALED}
        for place, sealed in batch.each(replays, _replay).items():
            batch.settle(place, sealed)
        return {place: item for place, item in known.items() if place not in replays}

    def _recall(self, items: list[Parsed], caller: Caller) -> list[Parsed | EsealError]:
        """Look every request id up; one used before for other content is refused here, before any policy."""
        entries = self._ledger.recall([(caller.uri, item.request_id) for item in items])
        return [
            _reused(item) if entry is not None and _differs(item, entry) else replace(item, entry=entry)
            for item, entry in zip(items, entries, strict=True)
        ]

    def _complete(self, item: Granted, now: datetime) -> Completed:
        """Step 3: issuer, dates, evidence, profiles. A request keeps its first credential id and issue time for ever."""
        earlier = item.parsed.entry
        key = self._keys.sealing_for(item.grant)
        completion = Completion.of(
            item.parsed.document,
            sealer=key.sealer,
            grant=item.grant,
            display=item.parsed.display,
            pages=self._pages,
        )
        credential_id = earlier.intent.credential_id if earlier else credential_id_of(item.parsed.document)
        issued = earlier.intent.issued if earlier else now
        document = complete(item.parsed.document, completion, credential_id=credential_id, issued=issued)
        return Completed(item, key, document, completion, credential_id, issued)

    def _hash(self, items: list[Checked]) -> list[Permit]:
        """Step 5: payload, protected header and the digest to sign, for the batch at once."""
        payloads = sealcore.canonical_many([item.completed.document for item in items])
        payload_digests = sealcore.digest_many("sha256", payloads)
        headers = self._headers(items)
        algorithms = [DIGESTS[item.completed.key.key.algorithm] for item in items]
        signing_digests: dict[int, bytes] = {}
        for digest in dict.fromkeys(algorithms):
            chosen = [n for n, algorithm in enumerate(algorithms) if algorithm == digest]
            made = sealcore.signing_digests(
                digest, [headers[n] for n in chosen], [payloads[n] for n in chosen], b64=False
            )
            signing_digests.update(zip(chosen, made, strict=True))
        return [
            Permit(item, payloads[n], payload_digests[n], headers[n], signing_digests[n])
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
            admissions = self._ledger.intend([_intent(permit, caller) for permit in items])
            return [_admitted(permit, admission) for permit, admission in zip(items, admissions, strict=True)]

        return batch.together(permits, admit)

    def _sign(
        self, batch: Batch[Sealed], permits: dict[int, Permit], lane: Lane, deadline: float | None
    ) -> dict[int, Signed]:
        """Step 7: the key room, once for each key of the batch; what could not be signed is recorded as failed."""

        def sign(items: list[Permit]) -> list[Signed | EsealError]:
            answers: dict[int, bytes | EsealError] = {}
            for key in {item.key.key.label: item.key.key for item in items}.values():
                chosen = [n for n, item in enumerate(items) if item.key.key == key]
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
            return [item if proven else _wrong_signature(item) for item, proven in zip(items, verdicts, strict=True)]

        proven = batch.together(signed, prove)
        wrong = [item.permit for place, item in signed.items() if place not in proven]
        self._record_failures(wrong, "WRONG_SIGNATURE")
        return proven

    def _record_outcomes(self, batch: Batch[Sealed], proven: dict[int, Signed], sealed: dict[int, Sealed]) -> None:
        """Step 10: one transaction; only what is durable leaves."""

        def conclude(places: list[int]) -> list[Sealed | EsealError]:
            outcomes = [Outcome(_claim(proven[place].permit), signature=proven[place].signature) for place in places]
            conclusions = self._ledger.conclude(outcomes)
            return [
                sealed[place] if isinstance(conclusion, Release) else _overtaken()
                for place, conclusion in zip(places, conclusions, strict=True)
            ]

        for place, answer in batch.together({place: place for place in sealed}, conclude).items():
            batch.settle(place, answer)

    def _record_failures(self, permits: Sequence[Permit], failure: str) -> None:
        """Give these attempts up. Where even that fails, their leases run out by themselves."""
        if not permits:
            return
        try:
            self._ledger.conclude([Outcome(_claim(permit), failure=failure) for permit in permits])
        except EsealError as error:
            log.warning("failure_not_recorded", count=len(permits), reason=error.reason)


# --- Steps that need nothing but their input -------------------------------------------------------------------------


def _unique(
    batch: Batch[Sealed], requests: Sequence[IssueRequest | SealRequest]
) -> dict[int, IssueRequest | SealRequest]:
    """Take the requests by place; one whose request id cannot serve as a key is settled here."""
    seen: set[str] = set()
    accepted: dict[int, IssueRequest | SealRequest] = {}
    for place, request in enumerate(requests):
        if not REQUEST_ID.fullmatch(request.request_id):
            batch.settle(place, _bad_request_id("has 1 to 128 visible ASCII characters; a UUID is best"))
        elif request.request_id in seen:
            batch.settle(place, _bad_request_id("stands once in a batch; only the first item with it was considered"))
        else:
            seen.add(request.request_id)
            accepted[place] = request
    return accepted


def _grant(item: Parsed, caller: Caller, sitting: Sitting) -> Granted:
    """Step 2: the policy's yes."""
    facts = award_facts(item.document)
    return Granted(item, facts, sitting.grant(caller, facts))


def _replay(item: Parsed) -> Sealed:
    """Rebuild the sealed bytes from the caller's content and the ledger's entry; the HSM is not asked."""
    if item.entry is None:
        raise Internal("NO_ENTRY", "The service lost what the ledger said of this item; send it again.")
    intent = item.entry.intent
    completion = Completion.from_json(intent.completion)
    document = complete(item.document, completion, credential_id=intent.credential_id, issued=intent.issued)
    payload = document.canonical()
    if sealcore.digest("sha256", payload) != intent.payload_sha256:
        raise Internal(
            "REPLAY_DIFFERS",
            "This request was sealed before by a service that rendered it differently (another version, other fonts), "
            "so the identical bytes cannot be rebuilt. Use the copy that was delivered, or a new request id.",
            metadata={"credential_id": intent.credential_id},
        )
    (sealed,) = seal_many([payload], [intent.protected], [item.entry.signature], [item.entry.etsi_u])
    return Sealed(
        request_id=item.request_id,
        sealed=sealed,
        credential_id=intent.credential_id,
        level=intent.level,
        payload_sha256=intent.payload_sha256,
        mandate_ids=intent.mandate_ids,
        key_label=intent.key_label,
        replayed=True,
    )


def _check(items: list[Completed]) -> list[Checked | EsealError]:
    """Step 4: all faults of each document; Annex I where the request is held to it."""
    answers: list[Checked | EsealError] = []
    for item, faults in zip(items, check_many([item.document for item in items]), strict=True):
        found = [*faults, *(_missing_elements(item) if item.granted.parsed.strict_annex_i else ())]
        answers.append(_invalid(found) if found else Checked(item))
    return answers


def _missing_elements(item: Completed) -> list[Fault]:
    return [
        Fault("/credentialSubject", "annex-i", f"Annex I of Council Recommendation 2022/C 243/02 asks for: {element}.")
        for element in annex_i(item.document).missing
    ]


def _in_time(permit: Permit, deadline: float | None) -> Permit:
    if deadline is not None and time.monotonic() >= deadline:
        raise DeadlineExceeded(
            "DEADLINE_EXCEEDED", "The caller's deadline passed before the key was touched; nothing was sealed."
        )
    return permit


def _intent(permit: Permit, caller: Caller) -> Intent:
    completed = permit.checked.completed
    parsed, grant, key = completed.granted.parsed, completed.granted.grant, completed.key
    return Intent(
        caller=caller.uri,
        request_id=parsed.request_id,
        content_sha256=parsed.content_sha256,
        level=parsed.level,
        sealer=key.sealer.organization_identifier,
        key_label=key.key.label,
        certificate_sha256=sealcore.digest("sha256", key.key.certificate),
        member=grant.member,
        awarding_bodies=tuple(mandate.awarding_body for mandate in grant.mandates) or (grant.member,),
        mandate_ids=grant.mandate_ids,
        self_issue=grant.self_issue,
        register_sha256=grant.register_sha256,
        credential_id=completed.credential_id,
        issued=completed.issued,
        completion=completed.completion.to_json(),
        protected=permit.protected,
        payload_sha256=permit.payload_sha256,
        signing_digest=permit.signing_digest,
    )


def _admitted(permit: Permit, admission: Admission) -> Permit | EsealError:
    match admission:
        case Admitted(claim):
            permit.claim = claim
            return permit
        case Reused():
            return _reused(permit.checked.completed.granted.parsed)
        case Busy(retry_after):
            return _under_way(retry_after)
        case _:
            # Somebody settled or gave up the same request between our look and our intent: the next try finds that.
            return _under_way(0.1)


def _assemble(items: list[Signed]) -> list[Sealed]:
    """Step 9: the JAdES documents, general JSON serialisation."""
    documents = seal_many(
        [item.permit.payload for item in items],
        [item.permit.protected for item in items],
        [item.signature for item in items],
    )
    return [_sealed(item, document) for item, document in zip(items, documents, strict=True)]


def _sealed(item: Signed, document: bytes) -> Sealed:
    completed = item.permit.checked.completed
    return Sealed(
        request_id=completed.granted.parsed.request_id,
        sealed=document,
        credential_id=completed.credential_id,
        level=completed.granted.parsed.level,
        payload_sha256=item.permit.payload_sha256,
        mandate_ids=completed.granted.grant.mandate_ids,
        key_label=completed.key.key.label,
    )


def _claim(permit: Permit) -> Claim:
    if permit.claim is None:
        raise Internal("NO_CLAIM", "An attempt was concluded before its intent was recorded.")
    return permit.claim


def _differs(item: Parsed, entry: Entry) -> bool:
    return (item.content_sha256, item.level) != (entry.intent.content_sha256, entry.intent.level)


# --- What is said to the caller --------------------------------------------------------------------------------------


def _invalid(faults: list[Fault]) -> InvalidInput:
    first = faults[0]
    return InvalidInput(
        "CREDENTIAL_INVALID",
        f"The credential has {len(faults)} fault(s). First, at {first.pointer or '/'}: {first.message}",
        faults=faults,
    )


def _reused(item: Parsed) -> RequestIdReused:
    return RequestIdReused(
        "REQUEST_ID_REUSED",
        "This request id was used before for other content or another level; a new credential needs a new request id.",
        metadata={"request_id": item.request_id},
    )


def _bad_request_id(rule: str) -> InvalidInput:
    return InvalidInput(
        "REQUEST_ID_INVALID",
        f"A request id {rule}.",
        faults=[Fault("request_id", "request-id", f"A request id {rule}.")],
    )


def _under_way(retry_after: float) -> Unavailable:
    return Unavailable(
        "REQUEST_UNDER_WAY",
        "The same request is being sealed right now by another call; send it again for its answer.",
        retry_after=retry_after,
    )


def _overtaken() -> Unavailable:
    return Unavailable(
        "REQUEST_OVERTAKEN",
        "This request took longer than its lease and another call has taken it over; send it again for its answer.",
        retry_after=0.1,
    )


def _wrong_signature(item: Signed) -> Unavailable:
    log.error("wrong_signature", key_label=item.permit.key.key.label)
    return Unavailable(
        "SIGNATURE_NOT_PROVEN",
        "The HSM returned a signature that does not verify; it was thrown away. Send the request again.",
        retry_after=1.0,
    )
