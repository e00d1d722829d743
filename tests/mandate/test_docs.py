"""docs/mandate.md explains every rule, with an example that the policy really gives."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eseal.mandate.files import Alliance, Mandate, Member, Status
from eseal.mandate.rules import Rule
from eseal.terms import AwardingBody, Caller, LegalIdentifier, Profile

from .house import ACCREDITATION, FACULTY_CALLER, NORTH, NORTH_CALLER, SHORT_PROGRAMME, SOUTH, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from .house import House

DOCUMENT = Path(__file__).parents[2] / "docs/mandate.md"
MANDATE, MEMBER = "mandates/north-2026.toml", "members/north.toml"
ACCREDITED: dict[str, Any] = {"accreditations": frozenset({ACCREDITATION})}
SUSPENSION = {
    "valid_from": date(2026, 6, 10),
    "valid_until": date(2026, 6, 20),
    "reason": "the agreement is under review",
}


def scope(**values: Any) -> Callable[[House], None]:
    """Change north's mandate."""
    return lambda house: house.scope.update(values)


def table(file: str, **values: Any) -> Callable[[House], None]:
    """Change a file, or add it."""
    return lambda house: house.files.setdefault(file, {}).update(values)


def accreditation(**limits: Any) -> Callable[[House], None]:
    """Ask for an accreditation that has these limits."""

    def change(house: House) -> None:
        house.scope["accreditation_required"] = True
        entry = {"id": ACCREDITATION, "date_issued": date(2025, 1, 1), **limits}
        house.files[MEMBER]["accreditation"] = [entry]

    return change


def used(**seals: int) -> Callable[[House], None]:
    """Limit north's mandate to what was sealed already."""

    def change(house: House) -> None:
        house.scope["quota"] = seals
        house.ledger.seals["north-2026"] = house.ledger.seals_today["north-2026"] = 500

    return change


def switched_off(house: House) -> None:
    """Switch north's caller off."""
    house.files[MEMBER]["caller"][0]["active"] = False


def two_names(*identifiers: LegalIdentifier) -> tuple[AwardingBody, ...]:
    """North with more identifiers."""
    return (replace(NORTH, identifiers=NORTH.identifiers + identifiers),)


EXAMPLES: dict[Rule, tuple[Callable[[House], None], Caller, dict[str, Any]]] = {
    Rule.CALLER_KNOWN: (scope(), Caller("urn:alliance:north:old"), {}),
    Rule.CALLER_ACTIVE: (switched_off, NORTH_CALLER, {}),
    Rule.CALLER_ACTS_FOR_AWARDING_BODY: (scope(), FACULTY_CALLER, {}),
    Rule.AWARDING_BODY_STATED: (scope(), NORTH_CALLER, {"awarding_bodies": ()}),
    Rule.AWARDING_BODY_IDENTIFIED: (scope(), NORTH_CALLER, {"awarding_bodies": (replace(NORTH, identifiers=()),)}),
    Rule.AWARDING_BODY_UNAMBIGUOUS: (scope(), NORTH_CALLER, {"awarding_bodies": two_names(*SOUTH.identifiers)}),
    Rule.AWARDING_BODY_IDENTIFIERS_AGREE: (
        scope(),
        NORTH_CALLER,
        {"awarding_bodies": two_names(LegalIdentifier("registration", "N-2", "IRL"))},
    ),
    Rule.AWARDING_BODY_IS_MEMBER: (scope(), NORTH_CALLER, {"awarding_bodies": (STRANGER,)}),
    Rule.AWARDING_BODY_MEMBER_ON_AWARD_DATE: (
        table(MEMBER, member_since=date(2026, 6, 10)),
        NORTH_CALLER,
        {"award_date": date(2026, 6, 9)},
    ),
    Rule.MANDATE_EXISTS: (lambda house: house.files.pop(MANDATE), NORTH_CALLER, {}),
    Rule.MANDATE_SIGNED: (lambda house: house.files[MANDATE].pop("signed_on"), NORTH_CALLER, {}),
    Rule.MANDATE_DUAL_CONTROL: (table(MANDATE, dual_control=True), NORTH_CALLER, {}),
    Rule.MANDATE_IN_FORCE: (table(MANDATE, valid_until=date(2026, 6, 14)), NORTH_CALLER, {}),
    Rule.MANDATE_IN_FORCE_ON_AWARD_DATE: (scope(), NORTH_CALLER, {"award_date": date(2025, 12, 31)}),
    Rule.MANDATE_NOT_SUSPENDED: (
        table("status/n.toml", mandate="north-2026", suspension=[SUSPENSION]),
        NORTH_CALLER,
        {},
    ),
    Rule.MANDATE_NOT_WITHDRAWN: (
        table("status/n.toml", mandate="north-2026", withdrawn_on=date(2026, 6, 1), reason="the agreement has ended"),
        NORTH_CALLER,
        {},
    ),
    Rule.SCOPE_PROFILE: (scope(profiles=["generic"]), NORTH_CALLER, {"profiles": frozenset({Profile.CONVERTED})}),
    Rule.SCOPE_OPPORTUNITY_TYPE: (
        scope(opportunity_types=[SHORT_PROGRAMME]),
        NORTH_CALLER,
        {"opportunity_types": frozenset()},
    ),
    Rule.SCOPE_EQF: (scope(eqf={"lowest": 5, "highest": 7}), NORTH_CALLER, {"eqf_levels": frozenset({8})}),
    Rule.SCOPE_ECTS: (scope(ects_maximum=15), NORTH_CALLER, {"ects": Decimal("15.5")}),
    Rule.SCOPE_ISCED_F: (scope(isced_f=["06"]), NORTH_CALLER, {"isced_f": frozenset({"0511"})}),
    Rule.SCOPE_LANGUAGE: (scope(languages=["en", "ga"]), NORTH_CALLER, {"languages": frozenset({"en", "fr"})}),
    Rule.SCOPE_COUNTRY: (scope(countries=["IRL"]), NORTH_CALLER, {"countries": frozenset({"GBR"})}),
    Rule.JOINT_AWARD_ALLOWED: (scope(), NORTH_CALLER, {"awarding_bodies": (NORTH, SOUTH)}),
    Rule.JOINT_AWARD_PARTNER: (
        scope(joint_awards=True, joint_award_partners=["faculty"]),
        NORTH_CALLER,
        {"awarding_bodies": (NORTH, SOUTH)},
    ),
    Rule.JOINT_AWARD_OUTSIDE_BODY: (scope(joint_awards=True), NORTH_CALLER, {"awarding_bodies": (NORTH, STRANGER)}),
    Rule.ACCREDITATION_STATED: (accreditation(), NORTH_CALLER, {}),
    Rule.ACCREDITATION_KNOWN: (
        accreditation(),
        NORTH_CALLER,
        {"accreditations": frozenset({"http://data.europa.eu/snb/data/accreditation/other"})},
    ),
    Rule.ACCREDITATION_IN_FORCE: (accreditation(expiry_date=date(2026, 6, 14)), NORTH_CALLER, ACCREDITED),
    Rule.ACCREDITATION_QUALIFICATION: (
        accreditation(limit_qualifications=["urn:north:ai"]),
        NORTH_CALLER,
        {**ACCREDITED, "qualifications": frozenset({"urn:north:art"})},
    ),
    Rule.ACCREDITATION_EQF: (accreditation(limit_eqf_levels=[7]), NORTH_CALLER, ACCREDITED),
    Rule.ACCREDITATION_ISCED_F: (accreditation(limit_isced_f=["05"]), NORTH_CALLER, ACCREDITED),
    Rule.ACCREDITATION_JURISDICTION: (accreditation(limit_jurisdictions=["NLD"]), NORTH_CALLER, ACCREDITED),
    Rule.QUOTA_DAILY: (used(daily=500), NORTH_CALLER, {}),
    Rule.QUOTA_TOTAL: (used(total=500), NORTH_CALLER, {}),
}


def test_every_rule_has_an_example() -> None:
    """No rule is left out."""
    assert list(Rule) == list(EXAMPLES)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_documents_example_is_true(house: House, rule: Rule) -> None:
    """Under each rule's name the document quotes the message that the policy gives in that case."""
    change, caller, facts = EXAMPLES[rule]
    change(house)
    (refusal,) = house.decide(caller, **facts).refusals
    section = re.search(rf"^\| `{rule.value}` \|.*$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert rule.value == refusal.rule
    assert section, f"docs/mandate.md has no row for {rule.value}"
    assert refusal.message in section[0]


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize("model", [Alliance, Member, Mandate, Status])
def test_every_key_is_documented(model: type[BaseModel]) -> None:
    """Each key of each register file is named in the document."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert set() == {
        key
        for key in _keys(model)
        if f"`{key}`" not in text and f"`[{key}]`" not in text and f"`[[{key}]]`" not in text
    }


def _section(title: str) -> str:
    """The document from one heading of the second level to the next."""
    found = re.search(rf"^## {title}$(.*?)(?=^## )", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/mandate.md has no section {title!r}"
    return found[1]


def test_the_document_lists_the_policys_rules_and_no_others() -> None:
    """Each rule has one row, in the order of the code, and no row is of a rule that is gone."""
    assert [rule.value for rule in Rule] == re.findall(r"^\| `([a-z-]+)` \|", _section("The rules"), re.MULTILINE)


def test_the_document_lists_the_load_rules_and_no_others() -> None:
    """The rules by which a register may fail to load are those that the code has, each named once."""
    rules = _rules_of_the_code() | {"unknown-key", "missing-key", "wrong-value"}
    table = _section("The register").partition("### What can be wrong with it")[2]
    rows = [re.findall(r"`([a-z-]+)`", row) for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)]
    listed = [rule for row in rows for rule in row]

    assert len(rules) > 30
    assert sorted(rules) == sorted(listed)


def _rules_of_the_code() -> set[str]:
    """What stands as a rule's name in a call that makes a problem."""
    calls = [
        node
        for path in (Path(__file__).parents[2] / "server/eseal/mandate").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    makers = {"broken", "problem", "Problem", "_repeated"}
    arguments = [
        argument.value
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in makers
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    return {argument for argument in arguments if re.fullmatch(r"[a-z]+(-[a-z]+)+", argument)}
