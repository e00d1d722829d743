"""A register to judge by, written to a folder as an alliance would keep it, and an award to have judged."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import tomlkit

from eseal.mandate.policy import Decision, Policy
from eseal.mandate.register import Register
from eseal.terms import AwardFacts, AwardingBody, Caller, LegalEntity, LegalIdentifier, Profile

if TYPE_CHECKING:
    from pathlib import Path

MANDATE = "mandates/north-2026.toml"
MEMBER = "members/north.toml"
ONE_DAY = timedelta(days=1)
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
AWARDED = date(2026, 6, 1)
SHORT_PROGRAMME = "http://data.europa.eu/snb/learning-opportunity/74a4a268e8"
ACCREDITATION = "http://data.europa.eu/snb/data/accreditation/3f1c"

AGREEMENT = b"%PDF-1.4 the agreement of north with the alliance"
SEALER = LegalEntity("Stichting Alliance", "Alliance seal", "NTRNL-01234567", "NL")
NORTH = AwardingBody(
    "/north", {"en": "North University"}, (LegalIdentifier("registration", "N-1", "IRL"),), countries=frozenset({"IRL"})
)
SOUTH = AwardingBody(
    "/south", {"en": "South University"}, (LegalIdentifier("vat", "NL111", "NLD"),), countries=frozenset({"NLD"})
)
STRANGER = AwardingBody("/stranger", {"en": "Stranger College"}, (LegalIdentifier("registration", "S-9", "FRA"),))
NORTH_CALLER = Caller("urn:alliance:north:sis")
FACULTY_CALLER = Caller("urn:alliance:faculty:sis")

FACTS = AwardFacts(
    awarding_bodies=(NORTH,),
    award_date=AWARDED,
    profiles=frozenset({Profile.GENERIC}),
    opportunity_types=frozenset({SHORT_PROGRAMME}),
    eqf_levels=frozenset({6}),
    ects=Decimal(2),
    isced_f=frozenset({"0613"}),
    languages=frozenset({"en"}),
    countries=frozenset({"IRL"}),
)


def noon(day: date) -> datetime:
    """Noon of a day, which is that day in every European zone."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def files() -> dict[str, Any]:
    """The register's tables by file name, in TOML's own values, for a test to change before it is written."""
    open_scope = dict.fromkeys(
        ("profiles", "opportunity_types", "eqf", "ects_maximum", "isced_f", "languages", "countries"), "any"
    )
    agreement = {
        "file": "north.pdf",
        "sha256": hashlib.sha256(AGREEMENT).hexdigest(),
        "media_type": "application/pdf",
        "title": "Agreement of north",
    }
    life = {
        "sealer": "NTRNL-01234567",
        "signed_on": date(2025, 12, 1),
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
    }
    return {
        "alliance.toml": {
            "name": "Alliance",
            "time_zone": "Europe/Amsterdam",
            "practice": True,
            "sealer": [{"legal_name": "Stichting Alliance", "organization_identifier": "NTRNL-01234567"}],
        },
        "members/north.toml": {
            "id": "north",
            "legal_names": {"en": "North University"},
            "country": "IRL",
            "member_since": date(2020, 1, 1),
            "identifier": [{"kind": "registration", "notation": "N-1", "country": "IRL"}],
            "caller": [{"uri": NORTH_CALLER.uri, "valid_from": date(2026, 1, 1)}],
        },
        "members/south.toml": {
            "id": "south",
            "legal_names": {"en": "South University"},
            "country": "NLD",
            "member_since": date(2020, 1, 1),
            "identifier": [{"kind": "vat", "notation": "111", "country": "NLD"}],
            "caller": [{"uri": "urn:alliance:south:sis", "valid_from": date(2026, 1, 1)}],
        },
        "members/faculty.toml": {
            "id": "faculty",
            "legal_names": {"en": "Faculty of North"},
            "country": "IRL",
            "member_since": date(2020, 1, 1),
            "part_of": "north",
            "caller": [{"uri": FACULTY_CALLER.uri, "valid_from": date(2026, 1, 1)}],
        },
        "mandates/north-2026.toml": {
            "id": "north-2026",
            "awarding_body": "north",
            **life,
            "scope": dict(open_scope),
            "agreement": dict(agreement),
        },
        "mandates/south-2026.toml": {
            "id": "south-2026",
            "awarding_body": "south",
            **life,
            "scope": {**open_scope, "joint_awards": True},
            "agreement": dict(agreement),
        },
        "agreements/north.pdf": AGREEMENT,
    }


def write(folder: Path, tables: dict[str, Any]) -> Path:
    """Write the tables (and bytes) as files under ``folder``."""
    for name, table in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(table if isinstance(table, bytes) else tomlkit.dumps(table).encode())
    return folder


class Ledger:
    """What a ledger would have recorded: moments of sealing by mandate."""

    def __init__(self) -> None:
        self.seals: Counter[str] = Counter()
        self.seals_today: Counter[str] = Counter()
        self.asked: list[tuple[str, datetime | None, datetime | None]] = []

    def sealed(self, mandate_id: str, since: datetime | None, until: datetime | None) -> int:
        """The count set by the test."""
        self.asked.append((mandate_id, since, until))
        return (self.seals_today if since else self.seals)[mandate_id]


class House:
    """A register under way: change ``files``, then ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = files()
        self.ledger = Ledger()
        self.sealer = SEALER
        self.facts = FACTS
        self.written = 0

    @property
    def scope(self) -> dict[str, Any]:
        """The scope of north's mandate."""
        scope: dict[str, Any] = self.files["mandates/north-2026.toml"]["scope"]
        return scope

    def load(self) -> Register:
        """The register as the files have it now."""
        self.written += 1
        return Register.load(write(self.folder / str(self.written), self.files))

    def policy(self) -> Policy:
        """The policy over it."""
        return Policy(self.load(), self.sealer, usage=self.ledger)

    def decide(self, caller: Caller = NORTH_CALLER, *, at: datetime = NOON, **facts: Any) -> Decision:
        """The decision on the usual award, with these facts changed."""
        return self.policy().decide(caller, replace(self.facts, **facts), at=at)

    def refused_by(self, caller: Caller = NORTH_CALLER, *, at: datetime = NOON, **facts: Any) -> list[str]:
        """The rules that refuse it; none if it is granted."""
        decision = self.decide(caller, at=at, **facts)
        assert (decision.grant is None) == bool(decision.refusals)
        return [one.rule for one in decision.refusals]
