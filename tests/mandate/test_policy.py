"""The policy as a whole: what is granted, how refusals are told, and that nothing is granted by default."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eseal.errors import CallerRefused, MandateRefused
from eseal.mandate.identifiers import KINDS, key
from eseal.mandate.policy import Policy, Retrospect
from eseal.mandate.rules import Rule
from eseal.terms import AwardFacts, AwardingBody, Caller, LegalEntity, LegalIdentifier, Profile

from .house import (
    FACTS,
    MANDATE,
    MEMBER,
    NOON,
    NORTH_CALLER,
    House,
    noon,
)


class TestGrant:
    """What a grant holds, and self-issue."""

    def test_names_mandate_agreement_and_register(self, house: House) -> None:
        """A grant says by which mandate, with which agreement, by which state of the register."""
        decision = house.decide()

        assert decision.grant
        assert ("north-2026",) == decision.grant.mandate_ids
        assert "north" == decision.grant.member == decision.grant.mandates[0].awarding_body
        assert decision.grant.mandates[0].agreement
        assert "Agreement of north" == decision.grant.mandates[0].agreement.title
        assert not decision.grant.self_issue
        assert house.load().sha256 == decision.grant.register_sha256 == decision.register_sha256

    def test_facts_used_are_told(self, house: House) -> None:
        """Whoever asks for an explanation sees the facts that were compared."""
        told = dict(house.decide().facts_used)

        assert "north by registration N-1 (IRL)" == told["awarding body /north"]
        assert "2026-06-15 (Europe/Amsterdam)" == told["today"]
        assert "6" == told["EQF levels"]

    def test_self_issue_needs_no_mandate(self, house: House) -> None:
        """A member whose identifier the seal certificate carries seals for itself, however it is written."""
        house.sealer = LegalEntity("North University", "North seal", "NTRIE-N-1", "IE")
        del house.files[MANDATE]
        decision = house.decide()

        assert decision.grant
        assert decision.grant.self_issue
        assert () == decision.grant.mandate_ids

    def test_self_issue_still_needs_the_own_caller(self, house: House) -> None:
        """Sealing for oneself is not sealing for whoever asks."""
        house.sealer = LegalEntity("North University", "North seal", "NTRIE-N-1", "IE")

        assert ["caller-acts-for-awarding-body"] == house.refused_by(Caller("urn:alliance:south:sis"))


class TestRefusals:
    """How refusals are told."""

    def test_all_are_reported(self, house: House) -> None:
        """Every rule that refuses is told, not the first one alone."""
        house.files[MEMBER]["caller"][0]["active"] = False
        house.files[MANDATE]["valid_until"] = date(2026, 6, 10)
        house.scope.update(languages=["ga"], ects_maximum=1)

        expected = ["caller-active", "mandate-in-force", "scope-ects", "scope-language"]
        assert expected == house.refused_by()

    def test_a_refused_caller_is_an_error_of_its_own(self, house: House) -> None:
        """An unknown caller gets CallerRefused, which still carries every refusal."""
        house.scope["languages"] = ["ga"]
        with pytest.raises(CallerRefused) as caught:
            house.policy().grant(Caller("urn:nobody"), FACTS, at=NOON)

        assert ["caller-known", "scope-language"] == [one.rule for one in caught.value.refusals]

    def test_a_refused_award_names_rules_in_metadata(self, house: House) -> None:
        """MandateRefused names each rule for programs to read."""
        house.scope["languages"] = ["ga"]
        with pytest.raises(MandateRefused) as caught:
            house.policy().grant(NORTH_CALLER, FACTS, at=NOON)

        assert "scope-language" == caught.value.metadata["rules"]
        assert "north-2026" == caught.value.refusals[0].subject

    def test_the_closest_mandate_is_named(self, house: House) -> None:
        """Of several mandates that refuse, the one in force with the fewest refusals is reported."""
        house.scope.update(languages=["ga"], isced_f=["05"])
        other = {**house.files[MANDATE], "id": "north-closer", "scope": {**house.scope, "isced_f": ["06"]}}
        past = {
            **house.files[MANDATE],
            "id": "north-2025",
            "valid_from": date(2025, 1, 1),
            "valid_until": date(2025, 12, 31),
        }
        house.files["mandates/closer.toml"] = other
        house.files["mandates/past.toml"] = {
            **past,
            "signed_on": date(2024, 12, 1),
            "scope": {**house.scope, "languages": ["en"], "isced_f": "any"},
        }
        decision = house.decide()

        assert [("scope-language", "north-closer")] == [(one.rule, one.subject) for one in decision.refusals]
        assert {"north-2026", "north-closer", "north-2025"} == {one.mandate for one in decision.considered}

    def test_the_granting_mandate_wins(self, house: House) -> None:
        """Where one of several mandates covers the award, the others do not matter."""
        house.scope["isced_f"] = ["05"]
        house.files["mandates/other.toml"] = {
            **house.files[MANDATE],
            "id": "north-computing",
            "scope": {**house.scope, "isced_f": ["06"]},
        }
        decision = house.decide()

        assert decision.grant
        assert ("north-computing",) == decision.grant.mandate_ids


class TestRetrospect:
    """What a verifier asks after the fact."""

    def test_agrees(self, house: House) -> None:
        """A seal that the policy would have granted on its day has nothing against it, whoever called."""
        retrospect = Retrospect(house.load())

        assert () == retrospect.objections(FACTS, sealer=house.sealer, sealed_at=NOON)

    @pytest.mark.parametrize(("day", "granted"), [(date(2026, 6, 14), True), (date(2026, 6, 15), False)])
    def test_later_withdrawal(self, house: House, day: date, *, granted: bool) -> None:
        """A mandate that was withdrawn after the seal was good when it was made."""
        house.files["status/n.toml"] = {"mandate": "north-2026", "withdrawn_on": date(2026, 6, 15), "reason": "ended"}
        objections = Retrospect(house.load()).objections(FACTS, sealer=house.sealer, sealed_at=noon(day))

        assert ([] if granted else ["mandate-not-withdrawn"]) == [one.rule for one in objections]

    def test_quotas_are_not_judged(self, house: House) -> None:
        """How many seals there were is not in a sealed credential."""
        house.scope["quota"] = {"total": 1}

        assert () == Retrospect(house.load()).objections(FACTS, sealer=house.sealer, sealed_at=NOON)


def test_rule_names_are_stable() -> None:
    """Rule names are lower-case words joined by dashes: programs and people refer to them."""
    assert all(rule.value == rule.name.lower().replace("_", "-") for rule in Rule)


words = st.text(max_size=12)
identifiers = st.builds(
    LegalIdentifier, st.sampled_from(KINDS), words | st.just("N-1"), st.sampled_from(["", "IRL"]), words
)
bodies = st.builds(
    AwardingBody, words, st.dictionaries(words, words, max_size=2), st.lists(identifiers, max_size=3).map(tuple)
)
facts = st.builds(
    AwardFacts,
    awarding_bodies=st.lists(bodies, max_size=3).map(tuple),
    award_date=st.none() | st.dates() | st.datetimes(timezones=st.timezones()),
    profiles=st.frozensets(st.sampled_from(Profile)),
    eqf_levels=st.frozensets(st.integers()),
    ects=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    isced_f=st.frozensets(words),
    languages=st.frozensets(words),
)


@given(facts)
def test_denied_unless_granted(practice_policy: Policy, given_facts: AwardFacts) -> None:
    """Whatever a credential says, the answer is a grant for identified members only, or refusals; never an error."""
    decision = practice_policy.decide(NORTH_CALLER, given_facts, at=NOON)

    assert (decision.grant is None) == bool(decision.refusals)
    assert all(len(one.message) < 2000 for one in decision.refusals)
    assert decision.facts_used
    if decision.grant:
        stated = {key(one) for body in given_facts.awarding_bodies for one in body.identifiers}
        assert ("registration", "IRL", "N-1") in stated


@pytest.fixture(scope="module")
def practice_policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """A policy over the usual register."""
    return House(tmp_path_factory.mktemp("house")).policy()


def test_long_texts_are_cut(house: House) -> None:
    """What a caller writes does not make a message of a megabyte."""
    body = AwardingBody("/b", {"en": "x" * 10**6}, tuple(LegalIdentifier("tax", "9" * 10**5, "IRL") for _ in range(50)))
    decision = house.decide(awarding_bodies=(body,))

    assert ["awarding-body-is-member"] == [one.rule for one in decision.refusals]
    assert 2500 > len(decision.refusals[0].message)
