"""Who awards: members, and several bodies at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from eseal.terms import AwardingBody, LegalEntity, LegalIdentifier

from .house import (
    FACULTY_CALLER,
    MEMBER,
    NORTH,
    SOUTH,
    STRANGER,
    House,
)


class TestAwardingBody:
    """Who awards."""

    def test_none(self, house: House) -> None:
        """A credential that names no awarding body is refused."""
        assert ["awarding-body-stated"] == house.refused_by(awarding_bodies=())

    def test_name_alone(self, house: House) -> None:
        """A member's name without an identifier is refused, and the refusal says what to add."""
        nameless = AwardingBody("/b", {"en": "North  UNIVERSITY"})
        decision = house.decide(awarding_bodies=(nameless,))

        assert ["awarding-body-identified"] == [one.rule for one in decision.refusals]
        assert "add registration N-1 (IRL) to the credential" in decision.refusals[0].message

    def test_outsider(self, house: House) -> None:
        """A body with an identifier that no member has is not a member."""
        assert ["awarding-body-is-member"] == house.refused_by(awarding_bodies=(STRANGER,))

    def test_name_with_a_strange_identifier(self, house: House) -> None:
        """A member's name with another identifier is no member, and the refusal says how the member is known."""
        body = replace(NORTH, identifiers=(LegalIdentifier("registration", "N-2", "IRL"),))
        decision = house.decide(awarding_bodies=(body,))

        assert ["awarding-body-is-member"] == [one.rule for one in decision.refusals]
        assert "is known by registration N-1 (IRL)" in decision.refusals[0].message

    def test_two_members_in_one(self, house: House) -> None:
        """A body that carries identifiers of two members is refused."""
        body = replace(NORTH, identifiers=NORTH.identifiers + SOUTH.identifiers)

        assert ["awarding-body-unambiguous"] == house.refused_by(awarding_bodies=(body,))

    def test_identifiers_that_disagree(self, house: House) -> None:
        """An identifier of the member beside a false one from the same register is refused."""
        body = replace(NORTH, identifiers=(*NORTH.identifiers, LegalIdentifier("registration", "N-2", "IRL")))

        assert ["awarding-body-identifiers-agree"] == house.refused_by(awarding_bodies=(body,))

    def test_further_identifiers(self, house: House) -> None:
        """Identifiers of registers in which the member is not listed say nothing against it."""
        body = replace(
            NORTH, identifiers=(*NORTH.identifiers, LegalIdentifier("other", "Res1818", scheme="Alliance no."))
        )

        assert [] == house.refused_by(awarding_bodies=(body,))

    @pytest.mark.parametrize(
        ("identifier", "granted"),
        [
            (LegalIdentifier("eidas", "NTRIE-N-1", "IRL"), True),
            (LegalIdentifier("registration", "N-1"), False),
            (LegalIdentifier("registration", "N-1", "NLD"), False),
            (LegalIdentifier("tax", "N-1", "IRL"), False),
        ],
    )
    def test_matches_by_kind_and_country(self, house: House, identifier: LegalIdentifier, *, granted: bool) -> None:
        """The same number counts only in the same register, in either of its notations."""
        assert granted == (not house.refused_by(awarding_bodies=(replace(NORTH, identifiers=(identifier,)),)))

    @pytest.mark.parametrize(
        ("awarded", "granted"),
        [(date(2026, 1, 31), False), (date(2026, 2, 1), True), (date(2026, 5, 31), True), (date(2026, 6, 1), False)],
    )
    def test_member_on_award_date(self, house: House, awarded: date, *, granted: bool) -> None:
        """Awards count as the member's from the first to the last day of its membership."""
        house.files[MEMBER].update(member_since=date(2026, 2, 1), member_until=date(2026, 5, 31))
        house.files["members/south.toml"]["caller"] = []
        house.files[MEMBER]["caller"] = []
        house.files["members/faculty.toml"].pop("part_of")
        house.files["members/faculty.toml"]["identifier"] = [{"kind": "other", "notation": "x", "scheme": "y"}]
        house.files[MEMBER]["sub_mandate"] = [{"id": "f", "member": "faculty", "valid_from": date(2026, 1, 1)}]

        expected = [] if granted else ["awarding-body-member-on-award-date"]
        assert expected == house.refused_by(FACULTY_CALLER, award_date=awarded)


class TestJointAward:
    """Awards of several bodies."""

    def test_needs_every_bodys_mandate(self, house: House) -> None:
        """A joint award needs a mandate of each body that allows joint awards, and names them all."""
        house.scope["joint_awards"] = True
        decision = house.decide(awarding_bodies=(NORTH, SOUTH))

        assert decision.grant
        assert ("north-2026", "south-2026") == decision.grant.mandate_ids

    def test_one_body_without_mandate(self, house: House) -> None:
        """A body that gave no mandate is refused by name."""
        house.scope["joint_awards"] = True
        del house.files["mandates/south-2026.toml"]
        decision = house.decide(awarding_bodies=(NORTH, SOUTH))

        assert [("mandate-exists", "south")] == [(one.rule, one.subject) for one in decision.refusals]

    def test_not_allowed(self, house: House) -> None:
        """A mandate that says nothing of joint awards does not cover them."""
        assert ["joint-award-allowed"] == house.refused_by(awarding_bodies=(NORTH, SOUTH))

    @pytest.mark.parametrize(("partners", "granted"), [(["south"], True), (["faculty"], False)])
    def test_partners(self, house: House, partners: list[str], *, granted: bool) -> None:
        """Where a mandate names partners, no other member is one."""
        house.scope.update(joint_awards=True, joint_award_partners=partners)

        assert ([] if granted else ["joint-award-partner"]) == house.refused_by(awarding_bodies=(NORTH, SOUTH))

    @pytest.mark.parametrize("allowed", [True, False])
    def test_one_body_outside(self, house: House, *, allowed: bool) -> None:
        """One body may be outside the alliance only where the mandate says so."""
        house.scope.update(joint_awards=True, outside_bodies=allowed)

        expected = [] if allowed else ["joint-award-outside-body"]
        assert expected == house.refused_by(awarding_bodies=(NORTH, STRANGER))

    def test_every_mandate_must_allow_the_outside_body(self, house: House) -> None:
        """South's agreement does not cover strangers because north's does."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        decision = house.decide(awarding_bodies=(NORTH, SOUTH, STRANGER))

        assert [("joint-award-outside-body", "south-2026")] == [(one.rule, one.subject) for one in decision.refusals]

    def test_two_bodies_outside(self, house: House) -> None:
        """Two bodies outside the alliance are one too many."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        other = replace(STRANGER, pointer="/2", identifiers=(LegalIdentifier("registration", "T-1", "FRA"),))

        assert ["joint-award-outside-body"] == house.refused_by(awarding_bodies=(NORTH, STRANGER, other))

    def test_outside_body_beside_a_self_issuer(self, house: House) -> None:
        """A member that seals for itself has no mandate that could let a stranger in."""
        house.sealer = LegalEntity("North University", "North seal", "NTRIE-N-1", "IE")

        assert ["joint-award-outside-body"] == house.refused_by(awarding_bodies=(NORTH, STRANGER))

    def test_unidentified_body_is_not_outside(self, house: House) -> None:
        """A body without identifiers is refused even where strangers are allowed: it might be anyone."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        nameless = AwardingBody("/x", {"en": "Somebody"})

        assert ["awarding-body-identified"] == house.refused_by(awarding_bodies=(NORTH, nameless))

    @pytest.mark.parametrize("notation", ["", "   ", "\u200b", "-"])
    def test_an_identifier_that_says_nothing_is_none(self, house: House, notation: str) -> None:
        """Blanks, what nobody sees and dashes identify nobody."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        blank = replace(STRANGER, identifiers=(LegalIdentifier("registration", notation, "FRA"),))

        assert ["awarding-body-identified"] == house.refused_by(awarding_bodies=(NORTH, blank))

    @pytest.mark.parametrize(
        "identifier",
        [
            LegalIdentifier("registration", "NL854213001B01", "NLD"),
            LegalIdentifier("vat", "NL854213001B01", "FRA"),
            LegalIdentifier("other", "https://www.ror.org/006hf6230/", "", "Research Organization Registry"),
            LegalIdentifier("other", "https://ror.org/006hf6230", ""),
            LegalIdentifier("other", "006hf\u200b6230", "", "ROR"),
        ],
    )
    def test_a_members_number_in_another_wrapping_is_not_outside(
        self, house: House, identifier: LegalIdentifier
    ) -> None:
        """A member's own number under another kind, country or scheme does not make a stranger of it."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        house.files["members/south.toml"]["identifier"] += [
            {"kind": "vat", "notation": "854213001B01", "country": "NLD"},
            {"kind": "other", "notation": "006hf6230", "scheme": "ROR"},
        ]
        body = AwardingBody("/x", {"en": "A College of Another Name"}, (identifier,))

        house.files["mandates/south-2026.toml"]["scope"]["joint_awards"] = False

        assert not house.decide(awarding_bodies=(NORTH, body)).grant

    @pytest.mark.parametrize(
        "name",
        [
            "south\u200b university",
            "South Uni\u00adversity",
            "south  university",
            "\uff33outh University",
            "SOUTH UNIVERSITY",
        ],
    )
    def test_a_namesake_to_the_eye_is_not_outside(self, house: House, name: str) -> None:
        """Blanks, case and compatibility characters do not make another body of it."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        namesake = replace(STRANGER, legal_names={"en": name})

        assert ["awarding-body-is-member"] == house.refused_by(awarding_bodies=(NORTH, namesake))

    def test_a_namesake_is_not_outside(self, house: House) -> None:
        """A body with a member's name and a strange identifier does not slip in as a stranger."""
        house.scope.update(joint_awards=True, outside_bodies=True)
        namesake = replace(SOUTH, identifiers=(LegalIdentifier("vat", "999", "NLD"),))

        assert ["awarding-body-is-member"] == house.refused_by(awarding_bodies=(NORTH, namesake))

    def test_the_same_body_twice_is_not_joint(self, house: House) -> None:
        """A body that the credential names in two places awards alone."""
        assert [] == house.refused_by(awarding_bodies=(NORTH, replace(NORTH, pointer="/again")))
