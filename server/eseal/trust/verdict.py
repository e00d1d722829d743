"""The verdict on a seal, in the words of EN 319 102-1: TOTAL_PASSED, INDETERMINATE or TOTAL_FAILED, and why.

The order is that of the standard's basic validation: format, identification of the signing certificate, cryptographic
verification, the certificate at the best signature time, acceptance. The first thing wrong gives the sub-indication;
every further one is among the reasons.

What is not validated yet, and is therefore never reported as good: revocation data (embedded or fetched) and
qualification by a trusted list. So a seal is TOTAL_PASSED only where no certificate of its path can be revoked, and a
time-stamp proves a time only where the same holds for its authority.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from eseal.errors import InvalidInput
from eseal.jades.detached import Found
from eseal.jades.rules import HeaderRule
from eseal.trust.certificate import Certificate, read_certificate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from eseal.jades.reading import JadesSignature
    from eseal.jades.timestamps import Timestamp
    from eseal.terms import Fault
    from eseal.trust.path import Path, TrustAnchors


class Indication(StrEnum):
    """The main status of a validation (EN 319 102-1 clause 5.1.3); PASSED and FAILED are those of a time-stamp."""

    TOTAL_PASSED = "TOTAL_PASSED"
    INDETERMINATE = "INDETERMINATE"
    TOTAL_FAILED = "TOTAL_FAILED"
    PASSED = "PASSED"
    FAILED = "FAILED"


# With more at hand (an anchor, revocation data, a proof of time, the content) each of these may still come out well.
_UNDECIDED = frozenset(
    {
        "CERTIFICATE_CHAIN_GENERAL_FAILURE",
        "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
        "NO_CERTIFICATE_CHAIN_FOUND",
        "OUT_OF_BOUNDS_NOT_REVOKED",
        "OUT_OF_BOUNDS_NO_POE",
        "SIGNED_DATA_NOT_FOUND",
    }
)
_HEADER_SUB_INDICATIONS = {
    HeaderRule.SIGNING_CERTIFICATE: "NO_SIGNING_CERTIFICATE_FOUND",
    HeaderRule.SIGNING_TIME: "SIG_CONSTRAINTS_FAILURE",
    HeaderRule.CRIT: "SIG_CONSTRAINTS_FAILURE",
    HeaderRule.ALG: "SIG_CONSTRAINTS_FAILURE",
    HeaderRule.CONTENT_TYPE: "SIG_CONSTRAINTS_FAILURE",
}
# Clocks differ a little; a seal from further ahead claims a time that has not been yet.
_CLOCK_SKEW = timedelta(minutes=5)
_NO_ANCHOR = "No trust anchor was given, so whom the certificate may be believed is not known."


@dataclass(frozen=True, slots=True)
class TimestampVerdict:
    """The verdict on one time-stamp. ``time`` and ``authority`` are what it says; ``proves`` whether that is proven."""

    kind: str
    time: datetime | None
    authority: str
    intact: bool | None
    indication: Indication
    sub_indication: str
    reason: str

    @property
    def proves(self) -> bool:
        """Whether the time-stamp is a proof of existence at its time."""
        return self.indication is Indication.PASSED


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """The verdict on one signature.

    ``wrong`` says that something about the seal is wrong, rather than merely not decided: it stays wrong whatever
    anchors and revocation data are added. ``best_signature_time`` is the earliest time that a time-stamp proves.
    """

    pointer: str
    level: str
    indication: Indication = Indication.TOTAL_PASSED
    sub_indication: str = ""
    wrong: bool = False
    certificate: Certificate | None = None
    signing_time: datetime | None = None
    best_signature_time: datetime | None = None
    timestamps: tuple[TimestampVerdict, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def is_counter_signature(self) -> bool:
        """Whether this is a signature on a signature."""
        return self.pointer.endswith("/cSig") or "/cSig/" in self.pointer


def unreadable(reason: str) -> SealVerdict:
    """Return the verdict on what is no signature document at all (clause 5.2.2)."""
    return SealVerdict(
        pointer="",
        level="NOT_ETSI",
        indication=Indication.TOTAL_FAILED,
        sub_indication="FORMAT_FAILURE",
        wrong=True,
        reasons=(reason,),
    )


def judge(
    signature: JadesSignature, *, verifies: bool | None, anchors: TrustAnchors | None, at: datetime
) -> SealVerdict:
    """Judge one signature as at ``at``.

    ``verifies`` says whether the signature value verifies with the key of its claimed certificate; None where it could
    not be tried, because there is no certificate or no content. Call it from a thread without a running event loop.
    """
    findings = _Findings()
    certificate = claimed_certificate(signature)
    timestamps = tuple(_judge_timestamp(stamp, signature, anchors=anchors, at=at) for stamp in signature.timestamps)
    proven = [stamp.time for stamp in timestamps if stamp.proves and stamp.kind != "adoTst" and stamp.time]
    best_signature_time = min(proven, default=None)
    _judge_format(findings, signature.faults)
    _judge_cryptography(findings, signature, certificate, verifies=verifies)
    # Whom a broken seal claims to be from is of no interest, and finding out is the costliest step.
    if certificate is not None and findings.indication is not Indication.TOTAL_FAILED:
        _judge_certificate(findings, signature, certificate, anchors=anchors, moment=best_signature_time or at)
    _judge_acceptance(findings, signature, certificate, at=at)
    for stamp in timestamps:
        if stamp.indication is Indication.FAILED:
            findings.note(stamp.reason, wrong=True)
    return SealVerdict(
        pointer=signature.pointer,
        level=signature.level,
        indication=findings.indication,
        sub_indication=findings.sub_indication,
        wrong=findings.wrong,
        certificate=certificate,
        signing_time=signature.header.claimed_time,
        best_signature_time=best_signature_time,
        timestamps=timestamps,
        reasons=tuple(dict.fromkeys(findings.reasons)),
    )


def claimed_certificate(signature: JadesSignature) -> Certificate | None:
    """Return the certificate whose key must verify the signature; None where there is none that can be read."""
    der = signature.claimed_certificate
    try:
        return read_certificate(der) if der is not None else None
    except InvalidInput:
        return None


@dataclass(slots=True)
class _Findings:
    """What was found so far: the first failure decides the words, each leaves its reason."""

    indication: Indication = Indication.TOTAL_PASSED
    sub_indication: str = ""
    wrong: bool = False
    reasons: list[str] = field(default_factory=list)

    def failed(self, sub_indication: str, reason: str) -> None:
        self._decide(Indication.TOTAL_FAILED, sub_indication, reason, wrong=True)

    def indeterminate(self, sub_indication: str, reason: str, *, wrong: bool | None = None) -> None:
        wrong = sub_indication not in _UNDECIDED if wrong is None else wrong
        self._decide(Indication.INDETERMINATE, sub_indication, reason, wrong=wrong)

    def note(self, reason: str, *, wrong: bool = False) -> None:
        self.reasons.append(reason)
        self.wrong = self.wrong or wrong

    def _decide(self, indication: Indication, sub_indication: str, reason: str, *, wrong: bool) -> None:
        # Clause 5.2.7: a failed cryptographic verification outranks whatever else could not be decided.
        if self.indication is Indication.TOTAL_PASSED or (
            indication is Indication.TOTAL_FAILED and self.indication is Indication.INDETERMINATE
        ):
            self.indication, self.sub_indication = indication, sub_indication
        self.note(reason, wrong=wrong)


def _judge_format(findings: _Findings, faults: Iterable[Fault]) -> None:
    """Clause 5.2.2: an unprotected header that cannot be read leaves nothing to validate the seal's history with."""
    for fault in faults:
        if fault.rule == "etsiU":
            findings.failed("FORMAT_FAILURE", f"{fault.message} ({fault.pointer})")


def _judge_cryptography(
    findings: _Findings, signature: JadesSignature, certificate: Certificate | None, *, verifies: bool | None
) -> None:
    """Clauses 5.2.3 and 5.2.7."""
    content = signature.content
    if content.found is Found.HASH_FAILURE:
        findings.failed("HASH_FAILURE", content.reason)
    elif content.found is Found.SIGNED_DATA_NOT_FOUND:
        findings.indeterminate("SIGNED_DATA_NOT_FOUND", content.reason)
    if certificate is None:
        message = "No certificate of the document is the one that the header names, so there is no key to verify with."
        findings.indeterminate("NO_SIGNING_CERTIFICATE_FOUND", message)
    elif verifies is False:
        algorithm = signature.header.algorithm
        message = f"The signature does not verify ({algorithm:.40}): the document is not what was sealed."
        findings.failed("SIG_CRYPTO_FAILURE", message)
    elif signature.certificate is None and signature.header.certificate_digest is not None:
        message = "The header names another certificate than those that came with the document."
        findings.indeterminate("NO_SIGNING_CERTIFICATE_FOUND", message)
    if verifies:
        findings.note(f"The signature is intact ({signature.header.algorithm}).")


def _judge_certificate(
    findings: _Findings,
    signature: JadesSignature,
    certificate: Certificate,
    *,
    anchors: TrustAnchors | None,
    moment: datetime,
) -> None:
    """Clause 5.2.6 at ``moment``: the path, then the certificate's own validity, then whether it may be revoked."""
    if anchors is None:
        findings.indeterminate("NO_CERTIFICATE_CHAIN_FOUND", _NO_ANCHOR)
        return
    # A path is looked for even where the certificate is out of its validity: who is trusted comes before when.
    at = min(max(moment, certificate.not_before), certificate.not_after)
    path = anchors.path(certificate.der, signature.certificates, at)
    if path.sub_indication:
        no_chain = path.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
        findings.indeterminate(path.sub_indication, path.reason, wrong=True if no_chain else None)
    elif not certificate.is_valid_at(moment):
        not_revoked = "OUT_OF_BOUNDS_NOT_REVOKED" if certificate.never_revoked else "OUT_OF_BOUNDS_NO_POE"
        findings.indeterminate(not_revoked, _out_of_bounds(certificate, moment))
    elif path.to_be_revoked:
        findings.indeterminate("CERTIFICATE_CHAIN_GENERAL_FAILURE", _revocation_unknown(path))
    if not certificate.may_seal:
        message = "The key usage of the certificate allows neither contentCommitment nor digitalSignature."
        findings.indeterminate("CHAIN_CONSTRAINTS_FAILURE", message)


def _judge_acceptance(
    findings: _Findings, signature: JadesSignature, certificate: Certificate | None, *, at: datetime
) -> None:
    """Clause 5.2.8: the signed attributes, by the rules of the baseline."""
    for fault in signature.faults:
        sub_indication = next((word for rule, word in _HEADER_SUB_INDICATIONS.items() if rule == fault.rule), "")
        if sub_indication:
            findings.indeterminate(sub_indication, fault.message)
        elif fault.rule != "etsiU":
            findings.note(fault.message)
    claimed = signature.header.claimed_time
    if certificate is not None and claimed is not None and not certificate.is_valid_at(claimed):
        message = "The claimed signing time is outside the validity of the seal certificate."
        findings.indeterminate("SIG_CONSTRAINTS_FAILURE", message)
    if claimed is not None and claimed > at + _CLOCK_SKEW:
        findings.note("The claimed signing time is after the time of this verification.", wrong=True)


def _judge_timestamp(
    stamp: Timestamp, signature: JadesSignature, *, anchors: TrustAnchors | None, at: datetime
) -> TimestampVerdict:
    """Clause 5.4, as far as it is built: the token itself, its imprint, the path of its authority when it was made."""
    token = stamp.token
    indication, sub_indication, reason = Indication.INDETERMINATE, "", stamp.reason
    if token is None or stamp.intact is False:
        indication = Indication.FAILED
        sub_indication = "FORMAT_FAILURE" if token is None else "HASH_FAILURE"
    elif stamp.intact is None:
        sub_indication = "SIGNED_DATA_NOT_FOUND"
    elif token.time > at:
        sub_indication, reason = "NOT_YET_VALID", "The time-stamp is from after the time of this verification."
    elif anchors is None:
        sub_indication, reason = "NO_CERTIFICATE_CHAIN_FOUND", _NO_ANCHOR
    else:
        path = anchors.path(token.authority, (*token.certificates, *signature.certificates), token.time)
        sub_indication, reason = path.sub_indication, path.reason
        if not sub_indication and path.to_be_revoked:
            sub_indication, reason = "CERTIFICATE_CHAIN_GENERAL_FAILURE", _revocation_unknown(path)
        indication = Indication.INDETERMINATE if sub_indication else Indication.PASSED
    return TimestampVerdict(
        kind=stamp.kind,
        time=token.time if token else None,
        authority=_authority_name(token.authority) if token else "",
        intact=stamp.intact,
        indication=indication,
        sub_indication=sub_indication,
        reason=reason,
    )


def _authority_name(der: bytes) -> str:
    try:
        subject = read_certificate(der).subject
    except InvalidInput:
        return ""
    return subject.common_name or subject.legal_name


def _revocation_unknown(path: Path) -> str:
    names = _named(certificate.subject.common_name for certificate in path.to_be_revoked)
    return (
        f"The seal certificate chains to the trust anchor; revocation could not be checked ({names}), "
        "because this version does not evaluate revocation data."
    )


def _out_of_bounds(certificate: Certificate, moment: datetime) -> str:
    when = "had expired" if moment > certificate.not_after else "was not yet valid"
    bound = certificate.not_after if moment > certificate.not_after else certificate.not_before
    return (
        f"The seal certificate {when} at the time of verification ({bound:%Y-%m-%d}), "
        "and nothing proves that the seal is from within its validity."
    )


def _named(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if name) or "unnamed"
