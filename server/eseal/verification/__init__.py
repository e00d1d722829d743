"""The life of a verification: one function that reads as its steps, over a batch.

One document is a batch of one. Nothing that a document holds makes a verification fail: what cannot be read is a
report that says so. The names of the checks and of the verdicts are in ``report``, the checks on the credential in
``checks``, the verdict on a seal in ``eseal.trust.verdict``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from eseal import sealcore
from eseal.credential.checking import check_many
from eseal.errors import InvalidInput
from eseal.jades.reading import JadesDocument, JadesSignature, read
from eseal.trust.verdict import Indication, SealVerdict, claimed_certificate, judge, unreadable
from eseal.verification import checks
from eseal.verification.report import Check, Report, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.jades.detached import Content
    from eseal.terms import Fault
    from eseal.trust.path import TrustAnchors
    from eseal.verification.checks import MandateRegister


@dataclass(frozen=True, slots=True)
class VerifyInput:
    """A document to verify: the bytes as received, the contents it leaves out, a name for the report, a time.

    ``at`` overrides the time of the batch for this document.
    """

    document: bytes
    detached: Sequence[bytes | Content] = ()
    file: str = ""
    at: datetime | None = None


def verify(
    documents: Sequence[VerifyInput],
    *,
    anchors: TrustAnchors | None = None,
    register: MandateRegister | None = None,
    at: datetime | None = None,
) -> list[Report]:
    """Verify documents as at ``at`` (now where None), against ``anchors`` and, where there is one, the register.

    Return one report a document, in order. Call it from a thread without a running event loop: it computes.
    """
    moment = at or datetime.now(UTC)
    # 1. Read: every document, strictly; what is no JWS keeps the reason.
    readings = [_read(given) for given in documents]
    # 2. Integrity: the signature values of the whole batch at once; imprints were compared in reading.
    verified = _verify_values([signature for reading in readings for signature in _signatures(reading)])
    # 3 to 5. Time, trust and the verdict on each seal.
    verdicts = [
        _judge(reading, verified, anchors=anchors, at=given.at or moment)
        for given, reading in zip(documents, readings, strict=True)
    ]
    # 6. The credential inside, checked as a batch where there is one.
    credentials = [_credential(reading) for reading in readings]
    faults = _check_all(credentials)
    # 7. Report.
    return [
        _report(given, verdict, credential=credential, faults=fault, register=register, at=given.at or moment)
        for given, verdict, credential, fault in zip(documents, verdicts, credentials, faults, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A document that was read, or why it could not be."""

    document: JadesDocument | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Credential:
    """The content of a document: JSON that says it is a credential, or why it is none."""

    document: sealcore.Document | None
    refusal: str = ""


def _read(given: VerifyInput) -> _Reading:
    try:
        return _Reading(read(given.document, given.detached))
    except InvalidInput as error:
        return _Reading(None, error.message)


def _signatures(reading: _Reading) -> list[JadesSignature]:
    """All signatures of a document, counter-signatures after what they sign."""
    if reading.document is None:
        return []
    return [nested for signature in reading.document.signatures for nested in signature.with_counter_signatures()]


def _verify_values(signatures: Sequence[JadesSignature]) -> dict[int, bool]:
    """Verify signature values together, without the GIL. Keyed by ``id``; absent where there is nothing to try with."""
    tried = []
    for signature in signatures:
        certificate = claimed_certificate(signature)
        key = _public_key(certificate.spki) if certificate else None
        if key is not None and signature.content.signed is not None:
            tried.append((signature, key, signature.content.signed))
    answers = sealcore.verify_many(
        [key for _, key, _ in tried],
        [signature.header.algorithm for signature, _, _ in tried],
        [signature.protected for signature, _, _ in tried],
        [signed for _, _, signed in tried],
        [signature.signature for signature, _, _ in tried],
        # The payload is as it stands in the signing input already, base64url or not.
        b64=False,
    )
    return {id(signature): answer for (signature, _, _), answer in zip(tried, answers, strict=True)}


@lru_cache(maxsize=1024)
def _public_key(spki: bytes) -> sealcore.PublicKey | None:
    try:
        return sealcore.PublicKey(spki)
    except ValueError:
        return None


def _judge(
    reading: _Reading, verified: dict[int, bool], *, anchors: TrustAnchors | None, at: datetime
) -> tuple[SealVerdict, ...]:
    if reading.document is None:
        return (unreadable(reading.refusal),)
    return tuple(
        judge(signature, verifies=verified.get(id(signature)), anchors=anchors, at=at)
        for signature in _signatures(reading)
    )


def _credential(reading: _Reading) -> _Credential:
    data = reading.document.data if reading.document else None
    if data is None:
        return _Credential(None, "There is no content to check.")
    try:
        document = sealcore.Document.parse(data)
    except sealcore.InvalidJson as error:
        return _Credential(None, f"The content is not JSON: {error}.")
    if not checks.is_credential(document):
        return _Credential(None, "The content does not say that it is a European Digital Credential.")
    return _Credential(document)


def _check_all(credentials: Sequence[_Credential]) -> list[list[Fault]]:
    """Check the credentials of a batch in one crossing; no faults stand where there is no credential."""
    places = {
        place: credential.document for place, credential in enumerate(credentials) if credential.document is not None
    }
    found = dict(zip(places, check_many(list(places.values())), strict=True)) if places else {}
    return [found.get(place, []) for place in range(len(credentials))]


def _report(
    given: VerifyInput,
    verdicts: tuple[SealVerdict, ...],
    *,
    credential: _Credential,
    faults: Sequence[Fault],
    register: MandateRegister | None,
    at: datetime,
) -> Report:
    document = credential.document
    if document is None:
        return Report(
            file=given.file,
            format=Check(Status.ERROR, (credential.refusal,)),
            seal=_seal_check(verdicts),
            revocation=checks.revocation_check(),
            accreditation=checks.NOT_A_CREDENTIAL,
            validity=checks.NOT_A_CREDENTIAL,
            mandate=checks.NOT_A_CREDENTIAL,
            annex_i=checks.NOT_A_CREDENTIAL,
            seals=verdicts,
        )
    first = verdicts[0]
    sealer = first.certificate.subject if first.certificate else None
    sealed_at = first.best_signature_time or first.signing_time or at
    awarded = checks.awarded(document)
    return Report(
        file=given.file,
        format=checks.format_check(faults),
        seal=_seal_check(verdicts),
        revocation=checks.revocation_check(),
        accreditation=checks.accreditation_check(document),
        validity=checks.validity_check(document, at),
        mandate=checks.mandate_check(awarded, sealer, sealed_at=sealed_at, register=register),
        annex_i=checks.annex_i_check(awarded),
        seals=verdicts,
    )


def _seal_check(verdicts: Sequence[SealVerdict]) -> Check:
    """SEAL: every signature of the document must be good, as the Commission's wallet asks."""
    reasons = tuple(
        dict.fromkeys(
            reason if len(verdicts) == 1 else f"Seal {number}: {reason}"
            for number, verdict in enumerate(verdicts, 1)
            for reason in verdict.reasons
        )
    )
    if any(verdict.wrong for verdict in verdicts):
        return Check(Status.ERROR, reasons)
    # A counter-signature speaks about a seal; it is no seal of the credential, and need not be anybody's we trust.
    seals = [verdict for verdict in verdicts if not verdict.is_counter_signature]
    passed = all(verdict.indication is Indication.TOTAL_PASSED for verdict in seals)
    return Check(Status.OK if passed else Status.SKIPPED, reasons)
