"""The register: who is a member, who calls for whom, and what was mandated; one immutable state of a folder of files.

It is read as a whole or not at all: one problem anywhere, and the state that was in use before stays in use. Its digest
stands in every ledger row, so that a seal can be traced to the exact files that allowed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from eseal.errors import SetupError
from eseal.mandate.consistency import Parsed, problems_between
from eseal.mandate.files import Alliance, CallerEntry, Mandate, Member, Status
from eseal.mandate.identifiers import bare_numbers, key, organization_key
from eseal.mandate.problems import InvalidRegister, Problem
from eseal.mandate.reading import digest, read_folder, read_tables
from eseal.terms import Agreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from eseal.mandate.identifiers import Key


class KnownCaller(NamedTuple):
    """A caller and the member whose file lists it."""

    member: Member
    entry: CallerEntry


@dataclass(frozen=True)
class Register:
    """One state of the register. ``sha256`` is over all its files.

    ``places`` and ``status_places`` map mandate ids to the files that hold the mandate and its status.
    """

    sha256: bytes
    alliance: Alliance
    members: Mapping[str, Member]
    mandates: Mapping[str, Mandate]
    statuses: Mapping[str, Status]
    agreements: Mapping[str, Agreement]
    countersigned: frozenset[str]
    places: Mapping[str, str]
    status_places: Mapping[str, str]

    @classmethod
    def load(cls, folder: Path) -> Register:
        """Read and validate ``folder``; raise InvalidRegister with every problem, or SetupError if it is not there."""
        if not folder.is_dir():
            raise SetupError(
                "REGISTER_MISSING", f"There is no register folder at {folder}: make one, or correct the config."
            )
        problems: list[Problem] = []
        files = read_folder(folder, problems)
        parsed = Parsed(
            alliances=read_tables(files, r"alliance\.toml", Alliance, problems),
            members=read_tables(files, r"members/.*\.toml", Member, problems),
            mandates=read_tables(files, r"mandates/.*\.toml", Mandate, problems),
            statuses=read_tables(files, r"status/.*\.toml", Status, problems),
            files=files,
        )
        if "alliance.toml" not in files:
            problems.append(
                Problem("alliance.toml", 1, "alliance-missing", "says whose register this is, and must be there")
            )
        # Files that did not parse are left out of what the others refer to; their absence must not be told twice.
        unreadable = bool(problems)
        problems.extend(problem for problem in problems_between(parsed) if not (unreadable and _echoes(problem)))
        if problems:
            raise InvalidRegister(str(folder), problems)
        return cls._of(parsed)

    @classmethod
    def _of(cls, parsed: Parsed) -> Register:
        return cls(
            sha256=digest(parsed.files),
            alliance=parsed.alliances[0].value,
            members=MappingProxyType({read.value.id: read.value for read in parsed.members}),
            mandates=MappingProxyType({read.value.id: read.value for read in parsed.mandates}),
            statuses=MappingProxyType({read.value.mandate: read.value for read in parsed.statuses}),
            agreements=MappingProxyType(
                {
                    read.value.id: Agreement(
                        sha256=bytes.fromhex(document.sha256),
                        media_type=document.media_type,
                        title=document.title,
                        content=parsed.files[f"agreements/{document.file}"],
                    )
                    for read in parsed.mandates
                    if (document := read.value.agreement)
                }
            ),
            countersigned=frozenset(parsed.countersigned),
            places=MappingProxyType({read.value.id: read.file for read in parsed.mandates}),
            status_places=MappingProxyType({read.value.mandate: read.file for read in parsed.statuses}),
        )

    @property
    def current(self) -> Register:
        """Itself: a register that was loaded once is its own source."""
        return self

    @cached_property
    def time_zone(self) -> ZoneInfo:
        """Where the alliance's days begin and end."""
        return ZoneInfo(self.alliance.time_zone)

    @cached_property
    def callers(self) -> Mapping[str, KnownCaller]:
        """Every caller by its URI."""
        return {entry.uri: KnownCaller(member, entry) for member in self.members.values() for entry in member.callers}

    @cached_property
    def owners(self) -> Mapping[Key, Member]:
        """Every member by each of its identifiers."""
        return {key(entry.term): member for member in self.members.values() for entry in member.identifiers}

    @cached_property
    def numbers(self) -> Mapping[str, Member]:
        """Every member by its bare numbers, whatever kind or country they are of."""
        return {
            number: member
            for member in self.members.values()
            for entry in member.identifiers
            for number in bare_numbers(entry.term)
        }

    @cached_property
    def keys(self) -> Mapping[str, frozenset[Key]]:
        """The keys of each member's identifiers, by member id."""
        return {one.id: frozenset(key(entry.term) for entry in one.identifiers) for one in self.members.values()}

    @cached_property
    def sealers(self) -> Mapping[str, Key]:
        """The key of the sealer of each mandate, by mandate id."""
        return {mandate.id: organization_key(mandate.sealer) for mandate in self.mandates.values()}

    def day(self, at: datetime) -> date:
        """Return the alliance's calendar day at a moment; one without a zone is the alliance's already."""
        try:
            return at.astimezone(self.time_zone).date() if at.tzinfo else at.date()
        except OverflowError:
            # The first or last day of all time, in whatever zone.
            return at.date()

    def midnight(self, day: date) -> datetime:
        """Return the moment at which the alliance's ``day`` begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self.time_zone)

    def ends(self, day: date) -> tuple[datetime, datetime]:
        """Return the moments between which the alliance's ``day`` lies: its midnight and the next."""
        return self.midnight(day), self.midnight(min(day, date.max - timedelta(days=1)) + timedelta(days=1))

    def state_of(self, mandate: Mandate, day: date) -> str:
        """Say how the mandate stands on ``day``, in a word or two.

        draft, withdrawn, future, expired, suspended, not countersigned (it asks for the awarding body's own signature, which
        is not there), or in force.
        """
        status = self.statuses.get(mandate.id)
        if mandate.signed_on is None or mandate.signed_on > day:
            return "draft"
        if status and status.withdrawn_on and status.withdrawn_on <= day:
            return "withdrawn"
        if not mandate.covers(day):
            return "future" if day < mandate.valid_from else "expired"
        if status and any(suspension.covers(day) for suspension in status.suspensions):
            return "suspended"
        if mandate.dual_control and mandate.id not in self.countersigned:
            return "not countersigned"
        return "in force"

    def mandates_of(self, member: Member) -> Sequence[Mandate]:
        """List the mandates that ``member`` gave, drafts and past ones included, oldest first."""
        return self._given.get(member.id, ())

    @cached_property
    def _given(self) -> Mapping[str, Sequence[Mandate]]:
        given: dict[str, list[Mandate]] = {}
        for mandate in sorted(self.mandates.values(), key=lambda mandate: (mandate.valid_from, mandate.id)):
            given.setdefault(mandate.awarding_body, []).append(mandate)
        return given


def _echoes(problem: Problem) -> bool:
    return problem.rule in {"member-known", "mandate-known", "sealer-known"}
