"""The decision table: every rule, granted up to its boundary and refused from there on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from eseal.mandate.rules import Rule
from eseal.terms import Caller, LegalIdentifier, Profile

from .house import ACCREDITATION, FACULTY_CALLER, NORTH, NORTH_CALLER, SHORT_PROGRAMME, SOUTH, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from .house import House

MANDATE, MEMBER, STATUS = "mandates/north-2026.toml", "members/north.toml", "status/n.toml"
LONG_AGO, LONG_HENCE = date(2020, 1, 1), date(2035, 12, 31)
MOMENT = timedelta(seconds=1)


def _caller(house: House, first: date, last: date) -> None:
    house.files[MEMBER]["caller"][0].update(valid_from=first, valid_until=last)


def _callers_member(house: House, first: date, last: date) -> None:
    """South calls for north, and is a member for these days alone."""
    south = house.files["members/south.toml"]
    south.update(member_since=first, member_until=last)
    south["caller"] = [{"uri": NORTH_CALLER.uri, "valid_from": LONG_AGO}]
    house.files[MEMBER]["caller"] = []
    house.files[MEMBER]["sub_mandate"] = [{"id": "s", "member": "south", "valid_from": LONG_AGO}]


def _sub_mandate(house: House, first: date, last: date) -> None:
    entry = {"id": "s", "member": "south", "valid_from": first, "valid_until": last}
    _callers_member(house, LONG_AGO, LONG_HENCE)
    house.files[MEMBER]["sub_mandate"] = [entry]


def _withdrawn_sub_mandate(house: House, first: date, last: date) -> None:
    _sub_mandate(house, first, LONG_HENCE)
    house.files[MEMBER]["sub_mandate"][0]["withdrawn_on"] = last + timedelta(days=1)


def _membership(house: House, first: date, last: date) -> None:
    """North is a member for these days alone, and another calls for it."""
    _callers_member(house, LONG_AGO, LONG_HENCE)
    house.files[MEMBER].update(member_since=first, member_until=last)


def _mandate(house: House, first: date, last: date) -> None:
    house.files[MANDATE].update(valid_from=first, valid_until=last, signed_on=LONG_AGO)


def _signed(house: House, first: date, last: date) -> None:
    del last
    house.files[MANDATE]["signed_on"] = first


def _withdrawn(house: House, first: date, last: date) -> None:
    del first
    withdrawn_on = last + timedelta(days=1)
    house.files[STATUS] = {"mandate": "north-2026", "withdrawn_on": withdrawn_on, "reason": "ended"}


def _suspended_around(house: House, first: date, last: date) -> None:
    around = [
        {"valid_from": LONG_AGO, "valid_until": first - timedelta(days=1), "reason": "before"},
        {"valid_from": last + timedelta(days=1), "reason": "after"},
    ]
    house.files[STATUS] = {"mandate": "north-2026", "suspension": around}


def _accreditation(house: House, first: date, last: date) -> None:
    house.scope["accreditation_required"] = True
    house.files[MEMBER]["accreditation"] = [{"id": ACCREDITATION, "date_issued": first, "expiry_date": last}]


# What holds from a first to a last day: how the register says it, which rule refuses outside, and whether it is the day
# of sealing or that of the award that is looked at; a signature has a first day only, a withdrawal a last.
DAYS: dict[str, tuple[Any, Rule, str]] = {
    "caller": (_caller, Rule.CALLER_ACTIVE, "sealed"),
    "caller's member": (_callers_member, Rule.CALLER_ACTIVE, "sealed"),
    "sub-mandate": (_sub_mandate, Rule.CALLER_ACTS_FOR_AWARDING_BODY, "sealed"),
    "withdrawn sub-mandate": (_withdrawn_sub_mandate, Rule.CALLER_ACTS_FOR_AWARDING_BODY, "sealed"),
    "membership": (_membership, Rule.AWARDING_BODY_MEMBER_ON_AWARD_DATE, "awarded"),
    "signature": (_signed, Rule.MANDATE_SIGNED, "sealed, first"),
    "mandate": (_mandate, Rule.MANDATE_IN_FORCE, "sealed"),
    "mandate, award": (_mandate, Rule.MANDATE_IN_FORCE_ON_AWARD_DATE, "awarded"),
    "suspension": (_suspended_around, Rule.MANDATE_NOT_SUSPENDED, "sealed"),
    "withdrawal": (_withdrawn, Rule.MANDATE_NOT_WITHDRAWN, "sealed, last"),
    "withdrawal, award": (_withdrawn, Rule.MANDATE_NOT_WITHDRAWN, "awarded, last"),
    "accreditation": (_accreditation, Rule.ACCREDITATION_IN_FORCE, "sealed"),
}
ZONES = ["Europe/Amsterdam", "Pacific/Kiritimati", "America/St_Johns"]
PERIODS = {
    "leap day": (date(2028, 2, 29), date(2028, 2, 29)),
    "end of February": (date(2026, 2, 28), date(2026, 2, 28)),
    "day of 23 hours": (date(2026, 3, 29), date(2026, 3, 29)),
    "day of 25 hours": (date(2026, 10, 25), date(2026, 10, 25)),
    "turn of a year": (date(2027, 12, 31), date(2028, 1, 1)),
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)
@pytest.mark.parametrize(("change", "rule", "looks_at"), DAYS.values(), ids=DAYS)
def test_days(house: House, change: Any, rule: Rule, *, looks_at: str, period: tuple[date, date], zone: str) -> None:
    """Granted from the first moment of the first day to the last moment of the last, by the alliance's clock alone."""
    first, last = period
    house.files["alliance.toml"]["time_zone"] = zone
    house.files[MANDATE].update(valid_from=LONG_AGO, valid_until=LONG_HENCE, signed_on=LONG_AGO)
    house.files[MEMBER]["caller"][0]["valid_from"] = LONG_AGO
    change(house, first, last)
    policy = house.policy()
    here, elsewhere = ZoneInfo(zone), timezone(timedelta(hours=-7, minutes=-15))
    begin = datetime(first.year, first.month, first.day, tzinfo=here).astimezone(UTC)
    following = last + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=here).astimezone(UTC)
    noon = begin + (end - begin) / 2

    asked = [(begin, True), (end - MOMENT, True), (noon, True)]
    asked += [] if looks_at.endswith("last") else [(begin - MOMENT, False)]
    asked += [] if looks_at.endswith("first") else [(end, False)]
    for moment, granted in asked:
        said = moment.astimezone(elsewhere)
        sealed, awarded = (noon, said) if looks_at.startswith("awarded") else (said, noon)
        facts = replace(house.facts, award_date=awarded, accreditations=frozenset({ACCREDITATION}))
        refused = {one.rule for one in policy.decide(NORTH_CALLER, facts, at=sealed).refusals}

        assert (set() if granted else {rule}) == refused, moment


def _nothing(house: House) -> None:
    del house


def _scope(**values: Any) -> Callable[[House], None]:
    return lambda house: house.scope.update(values)


def _limited(**limits: Any) -> Callable[[House], None]:
    def change(house: House) -> None:
        _accreditation(house, LONG_AGO, LONG_HENCE)
        house.files[MEMBER]["accreditation"][0].update(limits)

    return change


def _quota(house: House) -> None:
    """A quota of ten a day and of a hundred in all; asked with what was used so far."""
    house.scope["quota"] = {"daily": 10, "total": 100}


def _faculty(house: House) -> None:
    house.files[MEMBER]["sub_mandate"] = [{"id": "fac", "member": "faculty", "valid_from": LONG_AGO}]


def _dual(house: House) -> None:
    house.files[MANDATE]["dual_control"] = True


def _no_mandate(house: House) -> None:
    del house.files[MANDATE]


def _outside(house: House) -> None:
    house.scope.update(joint_awards=True, outside_bodies=True)


def _known_as(*identifiers: LegalIdentifier) -> dict[str, Any]:
    return {"awarding_bodies": (replace(NORTH, identifiers=identifiers),)}


N1, N2 = LegalIdentifier("registration", "N-1", "IRL"), LegalIdentifier("registration", "N-2", "IRL")
SECOND_STRANGER = replace(STRANGER, pointer="/2", identifiers=(LegalIdentifier("tax", "T-9", "FRA"),))
STATED = {"accreditations": frozenset({ACCREDITATION})}

# What holds or not whatever the day: what the register says, what is granted, and the next thing to it, which is refused.
OTHERS: dict[Rule, tuple[Callable[[House], None], dict[str, Any], dict[str, Any]]] = {
    Rule.CALLER_KNOWN: (_nothing, {}, {"caller": Caller(NORTH_CALLER.uri + "/")}),
    Rule.CALLER_ACTS_FOR_AWARDING_BODY: (
        _faculty,
        {"caller": FACULTY_CALLER},
        {"caller": Caller("urn:alliance:south:sis")},
    ),
    Rule.AWARDING_BODY_STATED: (_nothing, {}, {"awarding_bodies": ()}),
    Rule.AWARDING_BODY_IDENTIFIED: (_nothing, _known_as(N1), _known_as()),
    Rule.AWARDING_BODY_UNAMBIGUOUS: (
        _nothing,
        _known_as(N1, LegalIdentifier("vat", "112", "NLD")),
        _known_as(N1, LegalIdentifier("vat", "111", "NLD")),
    ),
    Rule.AWARDING_BODY_IDENTIFIERS_AGREE: (_nothing, _known_as(N1, replace(N2, country="GBR")), _known_as(N1, N2)),
    Rule.AWARDING_BODY_IS_MEMBER: (_nothing, _known_as(N1), _known_as(N2)),
    Rule.MANDATE_EXISTS: (_no_mandate, {"awarding_bodies": (SOUTH,), "caller": Caller("urn:alliance:south:sis")}, {}),
    Rule.MANDATE_DUAL_CONTROL: (
        _dual,
        {"awarding_bodies": (SOUTH,), "caller": Caller("urn:alliance:south:sis")},
        {},
    ),
    Rule.SCOPE_PROFILE: (
        _scope(profiles=["generic"]),
        {"profiles": frozenset({Profile.GENERIC, Profile.MANDATE})},
        {"profiles": frozenset({Profile.GENERIC, Profile.CONVERTED})},
    ),
    Rule.SCOPE_OPPORTUNITY_TYPE: (
        _scope(opportunity_types=[SHORT_PROGRAMME]),
        {},
        {"opportunity_types": frozenset({SHORT_PROGRAMME, SHORT_PROGRAMME + "0"})},
    ),
    Rule.SCOPE_EQF: (
        _scope(eqf={"lowest": 5, "highest": 7}),
        {"eqf_levels": frozenset({5, 7})},
        {"eqf_levels": frozenset({7, 8})},
    ),
    Rule.SCOPE_ECTS: (_scope(ects_maximum=15), {"ects": Decimal("15.00")}, {"ects": Decimal("15.01")}),
    Rule.SCOPE_ISCED_F: (_scope(isced_f=["061"]), {"isced_f": frozenset({"061"})}, {"isced_f": frozenset({"06"})}),
    Rule.SCOPE_LANGUAGE: (_scope(languages=["en"]), {}, {"languages": frozenset({"en", "ga"})}),
    Rule.SCOPE_COUNTRY: (_scope(countries=["IRL"]), {}, {"countries": frozenset({"IRL", "GBR"})}),
    Rule.JOINT_AWARD_ALLOWED: (_nothing, {"awarding_bodies": (NORTH, NORTH)}, {"awarding_bodies": (NORTH, SOUTH)}),
    Rule.JOINT_AWARD_PARTNER: (
        _scope(joint_awards=True, joint_award_partners=["faculty"], outside_bodies=True),
        {"awarding_bodies": (NORTH, STRANGER)},
        {"awarding_bodies": (NORTH, SOUTH)},
    ),
    Rule.JOINT_AWARD_OUTSIDE_BODY: (
        _outside,
        {"awarding_bodies": (NORTH, STRANGER)},
        {"awarding_bodies": (NORTH, STRANGER, SECOND_STRANGER)},
    ),
    Rule.ACCREDITATION_STATED: (_limited(), STATED, {}),
    Rule.ACCREDITATION_KNOWN: (
        _limited(),
        {"accreditations": frozenset({ACCREDITATION, ACCREDITATION + "0"})},
        {"accreditations": frozenset({ACCREDITATION + "0"})},
    ),
    Rule.ACCREDITATION_QUALIFICATION: (
        _limited(limit_qualifications=["urn:q:1"]),
        {**STATED, "qualifications": frozenset({"urn:q:1"})},
        {**STATED, "qualifications": frozenset({"urn:q:1", "urn:q:2"})},
    ),
    Rule.ACCREDITATION_EQF: (
        _limited(limit_eqf_levels=[6, 7]),
        {**STATED, "eqf_levels": frozenset({6, 7})},
        {**STATED, "eqf_levels": frozenset({7, 8})},
    ),
    Rule.ACCREDITATION_ISCED_F: (
        _limited(limit_isced_f=["061"]),
        {**STATED, "isced_f": frozenset({"0613"})},
        {**STATED, "isced_f": frozenset({"06"})},
    ),
    Rule.ACCREDITATION_JURISDICTION: (
        _limited(limit_jurisdictions=["IRL_CTH"]),
        {**STATED, "awarding_bodies": (replace(NORTH, spatial_codes=frozenset({"IRL_CTH_DUB"})),)},
        {**STATED, "awarding_bodies": (replace(NORTH, spatial_codes=frozenset({"IRL_CTHDUB"})),)},
    ),
    Rule.QUOTA_DAILY: (_quota, {"today": 9, "ever": 99}, {"today": 10, "ever": 99}),
    Rule.QUOTA_TOTAL: (_quota, {"today": 9, "ever": 99}, {"today": 9, "ever": 100}),
}


def test_every_rule_is_in_the_table() -> None:
    """No rule is left out."""
    assert set(Rule) == set(OTHERS) | {rule for _, rule, _ in DAYS.values()}


@pytest.mark.parametrize("rule", OTHERS)
def test_boundaries(house: House, rule: Rule) -> None:
    """One step is granted, and the next to it refused by this rule and no other."""
    change, granted, refused = OTHERS[rule]
    change(house)

    assert [] == _refused_by(house, **granted)
    assert [rule] == _refused_by(house, **refused)


def _refused_by(
    house: House, *, caller: Caller = NORTH_CALLER, today: int = 0, ever: int = 0, **facts: Any
) -> list[str]:
    house.ledger.seals_today["north-2026"], house.ledger.seals["north-2026"] = today, ever
    return house.refused_by(caller, **facts)
