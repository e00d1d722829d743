"""What a verification found: seven named checks, one entry a seal, and the whole in one word.

The names and spellings are fixed: other people's tools read them (README, "Verification").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eseal.terms import LegalEntity
    from eseal.trust.verdict import SealVerdict, TimestampVerdict


class Status(StrEnum):
    """The outcome of one check, as the Europass viewer has them. SKIPPED: did not apply, or could not be decided."""

    OK = "OK"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"


class Verdict(StrEnum):
    """The whole in one word, by the rule of the Europass viewer's ribbon."""

    VERIFIED = "VERIFIED"
    PARTIALLY_VERIFIED = "PARTIALLY_VERIFIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its reasons, in sentences that quote no learner data."""

    status: Status
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in one document. ``file`` is what the asker calls it, empty where it has no name."""

    format: Check
    seal: Check
    revocation: Check
    accreditation: Check
    validity: Check
    mandate: Check
    annex_i: Check
    seals: tuple[SealVerdict, ...]
    file: str = ""

    @property
    def checks(self) -> dict[str, Check]:
        """The checks by their names, in the order in which they are shown."""
        names = ("format", "seal", "revocation", "accreditation", "validity", "mandate", "annex_i")
        return {name: getattr(self, name) for name in names}

    @property
    def verdict(self) -> Verdict:
        """FAILED with any error; PARTIALLY_VERIFIED where the seal could not be decided; else VERIFIED."""
        if any(check.status is Status.ERROR for check in self.checks.values()):
            return Verdict.FAILED
        return Verdict.PARTIALLY_VERIFIED if self.seal.status is Status.SKIPPED else Verdict.VERIFIED

    def to_json(self) -> dict[str, Any]:
        """Return the report in the fixed names of ``eseal verify --json``."""
        return {
            **({"file": self.file} if self.file else {}),
            "verdict": self.verdict.value,
            "checks": {
                name: {"status": check.status.value, "reasons": list(check.reasons)}
                for name, check in self.checks.items()
            },
            "seals": [_seal(verdict) for verdict in self.seals],
        }


def signer_name(entity: LegalEntity) -> str:
    """Return how a report names a signer: the legal name, and its identifier where there is one."""
    name = entity.legal_name or entity.common_name
    return f"{name} ({entity.organization_identifier})" if entity.organization_identifier else name


def _seal(verdict: SealVerdict) -> dict[str, Any]:
    return {
        "indication": verdict.indication.value,
        "sub_indication": verdict.sub_indication or None,
        "level": verdict.level,
        "signer": signer_name(verdict.certificate.subject) if verdict.certificate else None,
        "signing_time": _time(verdict.signing_time),
        "best_signature_time": _time(verdict.best_signature_time),
        "timestamps": [_timestamp(stamp) for stamp in verdict.timestamps],
    }


def _timestamp(stamp: TimestampVerdict) -> dict[str, Any]:
    return {
        "kind": stamp.kind,
        "time": _time(stamp.time),
        "authority": stamp.authority or None,
        "intact": stamp.intact,
        "indication": stamp.indication.value,
        "sub_indication": stamp.sub_indication or None,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
