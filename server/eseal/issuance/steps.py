"""The steps of a seal that need nothing but their input."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from eseal import sealcore
from eseal.credential.completion import Completion
from eseal.credential.draft import faults_of, missing_elements, payloads
from eseal.errors import DeadlineExceeded, EsealError, Internal, MandateRefused
from eseal.issuance.answers import bad_request_id, invalid, overtaken, reused, too_large, under_way
from eseal.issuance.stages import Checked, Completed, Granted, IssueRequest, Parsed, Permit, Sealed, SealRequest, Signed
from eseal.jades.writing import seal_many
from eseal.ledger import Admitted, Busy, Intent, OverQuota, Release, Reused
from eseal.terms import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.batch import Batch
    from eseal.issuance.needs import Sitting
    from eseal.ledger import Admission, Claim, Conclusion, Entry
    from eseal.terms import Caller

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


def unique(
    batch: Batch[Sealed], requests: Sequence[IssueRequest | SealRequest]
) -> dict[int, IssueRequest | SealRequest]:
    """Take the requests by place; one whose request id cannot serve as a key is settled here."""
    seen: set[str] = set()
    accepted: dict[int, IssueRequest | SealRequest] = {}
    for place, request in enumerate(requests):
        if not REQUEST_ID.fullmatch(request.request_id):
            batch.settle(place, bad_request_id("has 1 to 128 visible ASCII characters; a UUID is best"))
        elif request.request_id in seen:
            batch.settle(place, bad_request_id("stands once in a batch; only the first item with it was considered"))
        else:
            seen.add(request.request_id)
            accepted[place] = request
    return accepted


def grant(item: Parsed, caller: Caller, sitting: Sitting) -> Granted:
    """Step 2: the policy's yes."""
    facts = item.draft.facts()
    return Granted(item, facts, sitting.grant(caller, facts))


def replay(item: Parsed) -> Sealed:
    """Rebuild the sealed bytes from the caller's content and the ledger's entry; the HSM is not asked."""
    if item.entry is None:
        raise Internal("NO_ENTRY", "The service lost what the ledger said of this item; send it again.")
    intent = item.entry.intent
    completion = Completion.from_json(intent.completion)
    (payload,) = payloads([item.draft.complete(completion, credential_id=intent.credential_id, issued=intent.issued)])
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


def check(items: list[Completed]) -> list[Checked | EsealError]:
    """Step 4: all faults of each document; Annex I where the request is held to it."""
    answers: list[Checked | EsealError] = []
    for item, faults in zip(items, faults_of([item.credential for item in items]), strict=True):
        found = [*faults, *(_missing_elements(item) if item.granted.parsed.strict_annex_i else ())]
        answers.append(invalid(found) if found else Checked(item))
    return answers


def _missing_elements(item: Completed) -> list[Fault]:
    return [
        Fault("/credentialSubject", "annex-i", f"Annex I of Council Recommendation 2022/C 243/02 asks for: {element}.")
        for element in missing_elements(item.credential)
    ]


def of_size(permit: Permit, most: int) -> Permit:
    """Stop what is larger than a credential may be, before anything is written: it might never be delivered."""
    if len(permit.payload) > most:
        raise too_large(len(permit.payload), most)
    return permit


def in_time(permit: Permit) -> Permit:
    """Stop what is too late, before anything is written."""
    if permit.deadline is not None and time.monotonic() >= permit.deadline:
        raise DeadlineExceeded(
            "DEADLINE_EXCEEDED", "The caller's deadline passed before the key was touched; nothing was sealed."
        )
    return permit


def intent(permit: Permit, caller: Caller) -> Intent:
    """Write down what is about to be signed, by what right; nothing of the learner."""
    completed = permit.checked.completed
    parsed, grant, key = completed.granted.parsed, completed.granted.grant, completed.key
    return Intent(
        caller=caller.uri,
        request_id=parsed.request_id,
        content_sha256=parsed.content_sha256,
        level=parsed.level,
        sealer=key.sealer.organization_identifier,
        key_label=key.key.label,
        certificate_sha256=key.certificate_sha256,
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
        quotas=grant.quotas,
    )


def last_deadline(permits: Sequence[Permit]) -> float | None:
    """When the last of those who wait for ``permits`` gives up; None where one of them never does."""
    deadlines = [permit.deadline for permit in permits if permit.deadline is not None]
    return max(deadlines) if len(deadlines) == len(permits) else None


def admitted(permit: Permit, admission: Admission) -> Permit | EsealError:
    """Give the permit its claim, or say why it gets none."""
    match admission:
        case Admitted(claim):
            permit.claim = claim
            return permit
        case Reused():
            return reused(permit.checked.completed.granted.parsed)
        case Busy(retry_after):
            return under_way(retry_after)
        case _:
            # Somebody settled or gave up the same request between our look and our intent: the next try finds that.
            return under_way(0.1)


def assemble(items: list[Signed]) -> list[Sealed]:
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


def released(sealed: Sealed, conclusion: Conclusion) -> Sealed | EsealError:
    """Let the seal go, if the ledger did."""
    match conclusion:
        case Release():
            return sealed
        case OverQuota(quota):
            return MandateRefused((quota.refusal,))
        case _:
            return overtaken()


def claim(permit: Permit) -> Claim:
    """Return the ledger's claim of a permit; a permit without one must not come this far."""
    if permit.claim is None:
        raise Internal("NO_CLAIM", "An attempt was concluded before its intent was recorded.")
    return permit.claim


def differs(item: Parsed, entry: Entry) -> bool:
    """Whether the request id stands for other content or another level."""
    return (item.content_sha256, item.level) != (entry.intent.content_sha256, entry.intent.level)
