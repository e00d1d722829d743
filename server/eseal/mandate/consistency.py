"""What the files of a register must agree on: names, dates, digests, signatures. Each rule yields its problems."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from cryptography import x509

from eseal.mandate.dual_control import SignatureRefused, verify_detached
from eseal.mandate.identifiers import describe, form_fault, key, number_fault, organization_key
from eseal.mandate.problems import Problem
from eseal.mandate.scope import overlap
from eseal.terms import LegalIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from eseal.mandate.files import Alliance, Mandate, Member, Status
    from eseal.mandate.identifiers import Key
    from eseal.mandate.problems import Location
    from eseal.mandate.reading import Read

_ONE_DAY = timedelta(days=1)
_MAGIC = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


Entry: TypeAlias = "tuple[str, Read[Member] | Read[Mandate] | Read[Status], Location]"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A register's files, each right by itself."""

    alliances: list[Read[Alliance]]
    members: list[Read[Member]]
    mandates: list[Read[Mandate]]
    statuses: list[Read[Status]]
    files: Mapping[str, bytes]
    countersigned: set[str] = field(default_factory=set)


def problems_between(parsed: Parsed) -> Iterator[Problem]:
    """Every problem that shows only when the files are read together."""
    yield from _duplicates(parsed)
    yield from _identifiers(parsed)
    yield from _references(parsed)
    yield from _agreements(parsed)
    yield from _overlaps(parsed)
    yield from _certificates(parsed)
    yield from _signatures(parsed)


def _duplicates(parsed: Parsed) -> Iterator[Problem]:
    yield from _repeated("duplicate-id", [(m.value.id, m, ("id",)) for m in parsed.members])
    yield from _repeated("duplicate-id", [(m.value.id, m, ("id",)) for m in parsed.mandates])
    yield from _repeated("duplicate-status", [(s.value.mandate, s, ("mandate",)) for s in parsed.statuses])
    callers = [
        (caller.uri, member, ("caller", place, "uri"))
        for member in parsed.members
        for place, caller in enumerate(member.value.callers)
    ]
    yield from _repeated("duplicate-caller", callers)
    for member in parsed.members:
        for name in ("sub_mandate", "accreditation"):
            tables: Iterable[object] = getattr(member.value, f"{name}s")
            ids = [(str(getattr(table, "id")), member, (name, place, "id")) for place, table in enumerate(tables)]  # noqa: B009
            yield from _repeated("duplicate-id", ids)


def _repeated(rule: str, entries: Iterable[Entry]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, read, location in entries:
        if name in first:
            yield read.problem(rule, f"{name!r} stands in {first[name]} already", *location)
        first.setdefault(name, read.file)


def _identifiers(parsed: Parsed) -> Iterator[Problem]:
    # Without a readable alliance.toml nobody knows whether true numbers are asked for.
    practice = all(alliance.value.practice for alliance in parsed.alliances)
    for alliance in parsed.alliances:
        for place, sealer in enumerate(alliance.value.sealers):
            identifier = LegalIdentifier("eidas", sealer.organization_identifier)
            location = ("sealer", place, "organization_identifier")
            yield from _identifier_faults(alliance, identifier, location, practice=practice)
    owners: dict[Key, str] = {}
    for member in parsed.members:
        for place, entry in enumerate(member.value.identifiers):
            location = ("identifier", place, "notation")
            yield from _identifier_faults(member, entry.term, location, practice=practice)
            owner = owners.setdefault(key(entry.term), member.file)
            if owner != member.file:
                yield member.problem("duplicate-identifier", f"{describe(entry.term)} is in {owner} already", *location)


def _identifier_faults(
    read: Read[Alliance] | Read[Member], identifier: LegalIdentifier, location: tuple[str | int, ...], *, practice: bool
) -> Iterator[Problem]:
    if fault := form_fault(identifier):
        yield read.problem("identifier-form", f"{describe(identifier)}: {fault}", *location)
    elif not practice and (fault := number_fault(identifier)):
        yield read.problem("identifier-number", f"{describe(identifier)}: {fault}", *location)


def _references(parsed: Parsed) -> Iterator[Problem]:
    members = {member.value.id for member in parsed.members}
    for member in parsed.members:
        for other, location in _named_by(member.value):
            if other not in members:
                yield member.problem("member-known", f"no member has the id {other!r}", *location)
            elif other == member.value.id:
                yield member.problem("member-other", f"{other!r} is the member itself", *location)
    yield from _circles(parsed)
    for mandate in parsed.mandates:
        yield from _mandate_references(parsed, mandate, members)
    known = {mandate.value.id for mandate in parsed.mandates}
    for status in parsed.statuses:
        if status.value.mandate not in known:
            yield status.problem("mandate-known", f"no mandate has the id {status.value.mandate!r}", "mandate")


def _circles(parsed: Parsed) -> Iterator[Problem]:
    """Yield members that are parts of themselves by way of others; a part may have no identifiers, its whole must."""
    wholes = {member.value.id: member.value.part_of for member in parsed.members}
    for member in parsed.members:
        passed, whole = [member.value.id], member.value.part_of
        while whole and whole not in passed:
            passed.append(whole)
            whole = wholes.get(whole)
        if whole == member.value.id and len(passed) > 1:
            way = " is part of ".join([*passed, whole])
            yield member.problem("part-of-circle", way, "part_of")


def _named_by(member: Member) -> Iterator[tuple[str, Location]]:
    """Yield the other members that a member's file names, and where."""
    for place, sub in enumerate(member.sub_mandates):
        yield sub.member, ("sub_mandate", place, "member")
    if member.part_of:
        yield member.part_of, ("part_of",)


def _mandate_references(parsed: Parsed, mandate: Read[Mandate], members: set[str]) -> Iterator[Problem]:
    body, partners = mandate.value.awarding_body, mandate.value.scope.joint_award_partners
    if body not in members:
        yield mandate.problem("member-known", f"no member has the id {body!r}", "awarding_body")
    for partner in sorted(partners - members) if not isinstance(partners, str) else ():
        yield mandate.problem("member-known", f"no member has the id {partner!r}", "scope", "joint_award_partners")
    sealers = {
        organization_key(sealer.organization_identifier)
        for alliance in parsed.alliances
        for sealer in alliance.value.sealers
    }
    if organization_key(mandate.value.sealer) not in sealers:
        yield mandate.problem("sealer-known", f"alliance.toml has no sealer {mandate.value.sealer!r}", "sealer")


def _agreements(parsed: Parsed) -> Iterator[Problem]:
    for mandate in parsed.mandates:
        agreement = mandate.value.agreement
        if agreement is None:
            continue
        content = parsed.files.get(f"agreements/{agreement.file}")
        if content is None:
            message = f"agreements/{agreement.file} is not there (PDF, PNG or JPEG)"
            yield mandate.problem("agreement-missing", message, "agreement", "file")
            continue
        actual = hashlib.sha256(content).hexdigest()
        if actual != agreement.sha256:
            message = f"agreements/{agreement.file} has SHA-256 {actual}; the mandate was signed for another document"
            yield mandate.problem("agreement-digest", message, "agreement", "sha256")
        if not content.startswith(_MAGIC[agreement.media_type]):
            message = f"agreements/{agreement.file} is not {agreement.media_type}"
            yield mandate.problem("agreement-media-type", message, "agreement", "media_type")


def _overlaps(parsed: Parsed) -> Iterator[Problem]:
    """Two signed mandates must not both answer for one credential: nobody could say which was used, and why."""
    withdrawn = {status.value.mandate: status.value.withdrawn_on for status in parsed.statuses}
    # In the order of their days, so that the problem stands with the newcomer.
    signed = sorted(
        (mandate for mandate in parsed.mandates if mandate.value.signed_on),
        key=lambda mandate: (mandate.value.valid_from, mandate.file),
    )
    for one, other in combinations(signed, 2):
        first, second = one.value, other.value
        if first.awarding_body != second.awarding_body or first.id == second.id:
            continue
        if organization_key(first.sealer) != organization_key(second.sealer):
            continue
        begin = max(first.valid_from, second.valid_from)
        end = min(_last_day(first, withdrawn.get(first.id)), _last_day(second, withdrawn.get(second.id)))
        if begin <= end and overlap(first.scope, second.scope):
            message = f"overlaps with mandate {first.id!r} ({one.file}) from {begin} to {end}, in days and in scope"
            yield other.problem("mandate-overlap", message, "valid_from")


def _last_day(mandate: Mandate, withdrawn_on: date | None) -> date:
    if withdrawn_on is None or withdrawn_on > mandate.valid_until:
        return mandate.valid_until
    return max(withdrawn_on, date.min + _ONE_DAY) - _ONE_DAY


def _certificates(parsed: Parsed) -> Iterator[Problem]:
    for member in parsed.members:
        for place, name in enumerate(member.value.signing_certificates):
            location = ("signing_certificates", place)
            content = parsed.files.get(f"certificates/{name}")
            if content is None:
                yield member.problem("certificate-missing", f"certificates/{name} is not there", *location)
                continue
            try:
                x509.load_pem_x509_certificate(content)
            except (ValueError, x509.InvalidVersion) as error:
                yield member.problem(
                    "certificate-form", f"certificates/{name} is not a PEM certificate: {error}", *location
                )


def _signatures(parsed: Parsed) -> Iterator[Problem]:
    """Yield signatures that do not verify; whether one must be there is for the policy, mandate by mandate."""
    members = {member.value.id: member.value for member in parsed.members}
    mandates = {mandate.file: mandate for mandate in parsed.mandates}
    time_zone = ZoneInfo(parsed.alliances[0].value.time_zone) if parsed.alliances else UTC
    for name, signature in parsed.files.items():
        if not name.endswith(".jws"):
            continue
        file = name.removesuffix(".jws")
        if file not in parsed.files:
            yield Problem(name, 1, "signature-mandate", f"stands beside no mandate: {file} is not there")
            continue
        # A mandate that did not parse has its own problems, and its signature is not worth more words.
        mandate = mandates.get(file)
        member = members.get(mandate.value.awarding_body) if mandate else None
        if mandate is None or member is None:
            continue
        try:
            certificates = _loaded(member, parsed.files)
            signed_on = mandate.value.signed_on
            verify_detached(parsed.files[file], signature, certificates, signed_on=signed_on, time_zone=time_zone)
        except SignatureRefused as error:
            yield Problem(name, 1, "signature-verifies", f"the signature of {member.id!r} {error}")
        else:
            parsed.countersigned.add(mandate.value.id)


def _loaded(member: Member, files: Mapping[str, bytes]) -> list[x509.Certificate]:
    loaded = []
    for name in member.signing_certificates:
        try:
            loaded.append(x509.load_pem_x509_certificate(files.get(f"certificates/{name}", b"")))
        except (ValueError, x509.InvalidVersion):
            # Told by its own rule already.
            continue
    return loaded
