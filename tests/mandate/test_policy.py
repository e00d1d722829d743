"""The policy as a decision table: every rule granted and refused at its boundary."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eseal.errors import CallerRefused, MandateRefused
from eseal.mandate.identifiers import KINDS, key
from eseal.mandate.policy import Policy, Retrospect
from eseal.mandate.rules import Rule
from eseal.terms import AwardFacts, AwardingBody, Caller, LegalEntity, LegalIdentifier, Profile

from .house import (
    ACCREDITATION,
    FACTS,
    FACULTY_CALLER,
    NOON,
    NORTH,
    NORTH_CALLER,
    SHORT_PROGRAMME,
    SOUTH,
    STRANGER,
    House,
)

MANDATE = "mandates/north-2026.toml"
MEMBER = "members/north.toml"
ONE_DAY = timedelta(days=1)


def noon(day: date) -> datetime:
    """Noon of a day, which is that day in every European zone."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


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


class TestCaller:
    """Who may call."""

    def test_unknown(self, house: House) -> None:
        """A caller that no member lists is refused."""
        assert ["caller-known"] == house.refused_by(Caller("urn:alliance:north:other"))

    @pytest.mark.parametrize(
        ("day", "granted"),
        [(date(2026, 3, 31), False), (date(2026, 4, 1), True), (date(2026, 6, 30), True), (date(2026, 7, 1), False)],
    )
    def test_days(self, house: House, day: date, *, granted: bool) -> None:
        """A caller may call from its first to its last day, both included."""
        house.files[MEMBER]["caller"][0].update(valid_from=date(2026, 4, 1), valid_until=date(2026, 6, 30))

        assert ([] if granted else ["caller-active"]) == house.refused_by(at=noon(day), award_date=day)

    def test_switched_off(self, house: House) -> None:
        """A caller that is not active is stopped, whatever its days say."""
        house.files[MEMBER]["caller"][0]["active"] = False

        assert ["caller-active"] == house.refused_by()

    def test_of_a_member_that_left(self, house: House) -> None:
        """When membership ends, so does the caller, though awards of before could still be sealed for the member."""
        house.files[MEMBER]["member_until"] = date(2026, 6, 14)

        assert ["caller-active"] == house.refused_by()
        assert [] == house.refused_by(at=noon(date(2026, 6, 14)))

    def test_of_another_member(self, house: House) -> None:
        """A caller may not have another member's awards sealed."""
        assert ["caller-acts-for-awarding-body"] == house.refused_by(Caller("urn:alliance:south:sis"))


class TestSubMandate:
    """Who may act for another member."""

    @pytest.fixture(autouse=True)
    def _given(self, house: House) -> None:
        house.files[MEMBER]["sub_mandate"] = [
            {
                "id": "fac",
                "member": "faculty",
                "valid_from": date(2026, 6, 1),
                "valid_until": date(2026, 6, 30),
                "scope": {"isced_f": ["06"]},
            }
        ]

    def test_lets_a_faculty_act_for_its_university(self, house: House) -> None:
        """The faculty's caller gets the university's award sealed; the grant names the university."""
        decision = house.decide(FACULTY_CALLER)

        assert decision.grant
        assert "north" == decision.grant.member

    def test_narrows_the_mandate(self, house: House) -> None:
        """What the university did not leave to the faculty is refused under the sub-mandate's name."""
        decision = house.decide(FACULTY_CALLER, isced_f=frozenset({"0511"}))

        assert [("scope-isced-f", "north/fac")] == [(one.rule, one.subject) for one in decision.refusals]

    @pytest.mark.parametrize(
        ("day", "granted"),
        [(date(2026, 5, 31), False), (date(2026, 6, 1), True), (date(2026, 6, 30), True), (date(2026, 7, 1), False)],
    )
    def test_days(self, house: House, day: date, *, granted: bool) -> None:
        """A sub-mandate is in force on its first and last day and not around them."""
        expected = [] if granted else ["caller-acts-for-awarding-body"]
        assert expected == house.refused_by(FACULTY_CALLER, at=noon(day), award_date=day)

    @pytest.mark.parametrize(("withdrawn_on", "granted"), [(date(2026, 6, 15), False), (date(2026, 6, 16), True)])
    def test_withdrawal(self, house: House, withdrawn_on: date, *, granted: bool) -> None:
        """From the day of its withdrawal a sub-mandate lets nobody act."""
        house.files[MEMBER]["sub_mandate"][0]["withdrawn_on"] = withdrawn_on

        assert granted == (not house.refused_by(FACULTY_CALLER))


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


class TestMandate:
    """The life of a mandate."""

    def test_none(self, house: House) -> None:
        """A member without a mandate is refused."""
        del house.files[MANDATE]

        assert ["mandate-exists"] == house.refused_by()

    def test_for_another_sealer(self, house: House) -> None:
        """A mandate for one sealer is none for another, and the refusal says for whom it is."""
        house.sealer = LegalEntity("Other", "Other", "NTRNL-99999999", "NL")
        decision = house.decide()

        assert ["mandate-exists"] == [one.rule for one in decision.refusals]
        assert "north-2026 for NTRNL-01234567" in decision.refusals[0].message

    @pytest.mark.parametrize(
        ("signed_on", "granted"), [(None, False), (date(2026, 6, 16), False), (date(2026, 6, 15), True)]
    )
    def test_signed(self, house: House, signed_on: date | None, *, granted: bool) -> None:
        """A draft is no mandate, nor is one that will be signed tomorrow."""
        house.files[MANDATE].pop("signed_on")
        if signed_on:
            house.files[MANDATE]["signed_on"] = signed_on

        assert ([] if granted else ["mandate-signed"]) == house.refused_by()

    @pytest.mark.parametrize(
        ("day", "granted"),
        [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (date(2026, 12, 31), True), (date(2027, 1, 1), False)],
    )
    def test_in_force(self, house: House, day: date, *, granted: bool) -> None:
        """A mandate is in force from its first to its last day, both included."""
        house.files[MEMBER]["caller"][0]["valid_from"] = date(2020, 1, 1)

        assert ([] if granted else ["mandate-in-force"]) == house.refused_by(at=noon(day), award_date=date(2026, 6, 1))

    @pytest.mark.parametrize(
        ("day", "granted"),
        [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (date(2026, 12, 31), True), (date(2027, 1, 1), False)],
    )
    def test_in_force_on_award_date(self, house: House, day: date, *, granted: bool) -> None:
        """What was awarded before or after the mandate's days is not covered by it."""
        assert ([] if granted else ["mandate-in-force-on-award-date"]) == house.refused_by(award_date=day)

    @pytest.mark.parametrize(
        ("at", "granted"),
        [
            # Amsterdam is an hour ahead of UTC in winter: its year begins and ends at 23:00 UTC.
            (datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC), False),
            (datetime(2025, 12, 31, 23, 0, tzinfo=UTC), True),
            (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), True),
            (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), False),
            # The same moments, said by a clock elsewhere.
            (datetime(2026, 12, 31, 17, 59, 59, tzinfo=timezone(timedelta(hours=-5))), True),
            (datetime(2026, 12, 31, 18, 0, tzinfo=timezone(timedelta(hours=-5))), False),
        ],
    )
    def test_days_are_the_alliances(self, house: House, at: datetime, *, granted: bool) -> None:
        """Days begin at midnight in the alliance's time zone, whatever clock the moment is said by."""
        house.files[MEMBER]["caller"][0]["valid_from"] = date(2020, 1, 1)

        assert ([] if granted else ["mandate-in-force"]) == house.refused_by(at=at)

    @pytest.mark.parametrize(
        ("awarded", "granted"),
        [
            (datetime(2025, 12, 31, 22, 59, tzinfo=UTC), False),
            (datetime(2025, 12, 31, 23, 0, tzinfo=UTC), True),
            (datetime(2025, 12, 31, 23, 59), False),  # noqa: DTZ001 - without a zone
            (datetime(2026, 1, 1, 0, 0), True),  # noqa: DTZ001 - the same
        ],
    )
    def test_award_moments_are_read_in_the_alliances_zone(
        self, house: House, awarded: datetime, *, granted: bool
    ) -> None:
        """An awarding date given as a moment falls on the alliance's day; one without a zone means its own day."""
        assert ([] if granted else ["mandate-in-force-on-award-date"]) == house.refused_by(award_date=awarded)

    def test_no_award_date_means_today(self, house: House) -> None:
        """Where the credential states no award date, the day of sealing is held against the mandate."""
        house.files[MANDATE]["valid_until"] = date(2026, 6, 14)

        expected = ["mandate-in-force", "mandate-in-force-on-award-date"]
        assert expected == house.refused_by(award_date=None)

    def test_each_day_of_award_counts(self, house: House) -> None:
        """A later achievement does not cover for one that was awarded before the mandate, or before membership."""
        house.files[MEMBER]["member_since"] = date(2025, 12, 31)
        expected = ["awarding-body-member-on-award-date", "mandate-in-force-on-award-date"]

        assert expected == house.refused_by(first_award_date=date(2025, 12, 30), award_date=date(2026, 6, 1))
        assert [] == house.refused_by(first_award_date=date(2026, 1, 1), award_date=date(2026, 6, 1))

    @pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
    def test_asked_about_the_ends_of_time(self, house: House, at: datetime) -> None:
        """A question about the first or the last moment there is has an answer, east and west of Greenwich."""
        house.scope["quota"] = {"daily": 1}
        for zone in ("Europe/Amsterdam", "America/New_York"):
            house.files["alliance.toml"]["time_zone"] = zone
            assert "mandate-in-force" in house.refused_by(at=at)

    @pytest.mark.parametrize("awarded", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
    def test_the_ends_of_time(self, house: House, awarded: datetime) -> None:
        """An award at the end of all time is refused like any other day outside the mandate."""
        house.files["alliance.toml"]["time_zone"] = "America/New_York" if awarded.year == 1 else "Asia/Tokyo"
        house.files[MEMBER]["member_since"] = date.min

        assert ["mandate-in-force-on-award-date"] == house.refused_by(award_date=awarded)

    @pytest.mark.parametrize(
        ("day", "granted"),
        [(date(2026, 6, 9), True), (date(2026, 6, 10), False), (date(2026, 6, 20), False), (date(2026, 6, 21), True)],
    )
    def test_suspended(self, house: House, day: date, *, granted: bool) -> None:
        """Nothing is sealed while a mandate is suspended; afterwards, awards of that time can be sealed."""
        suspension = {"valid_from": date(2026, 6, 10), "valid_until": date(2026, 6, 20), "reason": "audit"}
        house.files["status/n.toml"] = {"mandate": "north-2026", "suspension": [suspension]}

        assert ([] if granted else ["mandate-not-suspended"]) == house.refused_by(at=noon(day))

    @pytest.mark.parametrize(
        ("day", "granted"), [(date(2026, 6, 14), True), (date(2026, 6, 15), False), (date(2026, 6, 16), False)]
    )
    def test_withdrawn(self, house: House, day: date, *, granted: bool) -> None:
        """From the day of withdrawal nothing is sealed, whenever it was awarded."""
        house.files["status/n.toml"] = {"mandate": "north-2026", "withdrawn_on": date(2026, 6, 15), "reason": "ended"}

        assert ([] if granted else ["mandate-not-withdrawn"]) == house.refused_by(at=noon(day))

    def test_dual_control_without_signature(self, house: House) -> None:
        """A mandate that requires the awarding body's own signature does not count without it."""
        house.files[MANDATE]["dual_control"] = True

        assert ["mandate-dual-control"] == house.refused_by()


class TestScope:
    """What a mandate covers."""

    @pytest.mark.parametrize(
        ("allowed", "stated", "granted"),
        [
            (["generic"], {Profile.GENERIC}, True),
            (["generic"], {Profile.GENERIC, Profile.MANDATE}, True),
            (["generic"], set(), True),
            (["generic"], {Profile.GENERIC, Profile.CONVERTED}, False),
            (["accredited"], {Profile.GENERIC}, False),
        ],
    )
    def test_profile(self, house: House, allowed: list[str], stated: set[Profile], *, granted: bool) -> None:
        """Every profile must be covered; the mandate profile goes without saying, silence means generic."""
        house.scope["profiles"] = allowed

        assert ([] if granted else ["scope-profile"]) == house.refused_by(profiles=frozenset(stated))

    @pytest.mark.parametrize(
        ("stated", "granted"),
        [({SHORT_PROGRAMME}, True), ({SHORT_PROGRAMME, "http://x.example/other"}, False), (set(), False)],
    )
    def test_opportunity_type(self, house: House, stated: set[str], *, granted: bool) -> None:
        """Every type of learning opportunity must be covered, and one must be stated."""
        house.scope["opportunity_types"] = [SHORT_PROGRAMME]

        assert ([] if granted else ["scope-opportunity-type"]) == house.refused_by(opportunity_types=frozenset(stated))

    @pytest.mark.parametrize(
        ("levels", "granted"),
        [({4}, False), ({5}, True), ({7}, True), ({8}, False), ({5, 7}, True), ({5, 8}, False), (set(), False)],
    )
    def test_eqf(self, house: House, levels: set[int], *, granted: bool) -> None:
        """EQF levels must lie in the range, both ends included, and one must be stated."""
        house.scope["eqf"] = {"lowest": 5, "highest": 7}

        assert ([] if granted else ["scope-eqf"]) == house.refused_by(eqf_levels=frozenset(levels))

    @pytest.mark.parametrize(
        ("ects", "granted"), [(None, True), ("7.4", True), ("7.5", True), ("7.51", False), ("8", False)]
    )
    def test_ects(self, house: House, ects: str | None, *, granted: bool) -> None:
        """ECTS up to the maximum are covered, to the hundredth; no credits are no more than the maximum."""
        house.scope["ects_maximum"] = 7.5

        assert ([] if granted else ["scope-ects"]) == house.refused_by(ects=Decimal(ects) if ects else None)

    @pytest.mark.parametrize(
        ("stated", "granted"),
        [
            ({"06"}, True),
            ({"0613"}, True),
            ({"0714"}, True),
            ({"071"}, False),
            ({"0613", "0511"}, False),
            (set(), False),
        ],
    )
    def test_isced_f(self, house: House, stated: set[str], *, granted: bool) -> None:
        """A field covers those under it and not those above it."""
        house.scope["isced_f"] = ["06", "0714"]

        assert ([] if granted else ["scope-isced-f"]) == house.refused_by(isced_f=frozenset(stated))

    @pytest.mark.parametrize(
        ("stated", "granted"), [({"en"}, True), ({"en", "ga"}, True), ({"fr"}, False), (set(), False)]
    )
    def test_language(self, house: House, stated: set[str], *, granted: bool) -> None:
        """Every language of the credential must be covered."""
        house.scope["languages"] = ["en", "ga"]

        assert ([] if granted else ["scope-language"]) == house.refused_by(languages=frozenset(stated))

    @pytest.mark.parametrize(("stated", "granted"), [({"IRL"}, True), ({"IRL", "NLD"}, False), (set(), False)])
    def test_country(self, house: House, stated: set[str], *, granted: bool) -> None:
        """Every country of an awarding body must be covered."""
        house.scope["countries"] = ["IRL"]

        assert ([] if granted else ["scope-country"]) == house.refused_by(countries=frozenset(stated))


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

    @pytest.mark.parametrize("name", ["south  university", "\uff33outh University", "SOUTH UNIVERSITY"])
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


class TestAccreditation:
    """The QDR's limits."""

    @pytest.fixture(autouse=True)
    def _required(self, house: House) -> None:
        house.scope["accreditation_required"] = True
        house.files[MEMBER]["accreditation"] = [
            {
                "id": ACCREDITATION,
                "date_issued": date(2026, 6, 1),
                "expiry_date": date(2026, 6, 30),
                "limit_qualifications": ["urn:q:1"],
                "limit_eqf_levels": [6, 7],
                "limit_isced_f": ["061"],
                "limit_jurisdictions": ["IRL_CTH"],
            }
        ]

    MATCHING = {  # noqa: RUF012 - never changed
        "accreditations": frozenset({ACCREDITATION}),
        "qualifications": frozenset({"urn:q:1"}),
        "awarding_bodies": (replace(NORTH, spatial_codes=frozenset({"IRL_CTH_DUB"})),),
    }

    def test_matching(self, house: House) -> None:
        """An accreditation within its dates and limits lets the award through."""
        assert [] == house.refused_by(**self.MATCHING)

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            ({"accreditations": frozenset()}, "accreditation-stated"),
            ({"accreditations": frozenset({"http://data.europa.eu/snb/data/accreditation/x"})}, "accreditation-known"),
            ({"qualifications": frozenset({"urn:q:2"})}, "accreditation-qualification"),
            ({"qualifications": frozenset()}, "accreditation-qualification"),
            ({"eqf_levels": frozenset({5})}, "accreditation-eqf"),
            ({"isced_f": frozenset({"0511"})}, "accreditation-isced-f"),
            (
                {"awarding_bodies": (replace(NORTH, spatial_codes=frozenset({"IRL_CTHX"})),)},
                "accreditation-jurisdiction",
            ),
            ({"awarding_bodies": (NORTH,)}, "accreditation-jurisdiction"),
        ],
    )
    def test_limits(self, house: House, change: dict[str, object], rule: str) -> None:
        """Each limit that the QDR keeps refuses what lies outside it."""
        assert [rule] == house.refused_by(**{**self.MATCHING, **change})

    @pytest.mark.parametrize(
        ("day", "granted"),
        [(date(2026, 5, 31), False), (date(2026, 6, 1), True), (date(2026, 6, 30), True), (date(2026, 7, 1), False)],
    )
    def test_days(self, house: House, day: date, *, granted: bool) -> None:
        """The day of issuing must lie in the accreditation's days, both ends included."""
        expected = [] if granted else ["accreditation-in-force"]
        assert expected == house.refused_by(at=noon(day), **self.MATCHING)

    def test_country_stands_for_a_territorial_unit(self, house: House) -> None:
        """A body that states only its country lies in a jurisdiction that is its whole country."""
        house.files[MEMBER]["accreditation"][0]["limit_jurisdictions"] = ["IRL"]

        assert [] == house.refused_by(**{**self.MATCHING, "awarding_bodies": (NORTH,)})

    @pytest.mark.parametrize("profile", [Profile.ACCREDITED, Profile.DIPLOMA_SUPPLEMENT])
    def test_accredited_profile_needs_one_in_any_case(self, house: House, profile: Profile) -> None:
        """An accredited credential needs a matching accreditation though the mandate asks for none.

        A diploma supplement is one: its profile imports the accredited one.
        """
        house.scope["accreditation_required"] = False
        accredited = frozenset({Profile.GENERIC, profile})

        assert ["accreditation-stated"] == house.refused_by(profiles=accredited)
        assert [] == house.refused_by(profiles=accredited, **self.MATCHING)


class TestQuota:
    """How many."""

    @pytest.mark.parametrize(("sealed", "granted"), [(9, True), (10, False), (11, False)])
    def test_daily(self, house: House, sealed: int, *, granted: bool) -> None:
        """The tenth seal of a day is the last one of ten; the day begins at midnight in the alliance's zone."""
        house.scope["quota"] = {"daily": 10}
        house.ledger.seals_today["north-2026"] = sealed

        assert ([] if granted else ["quota-daily"]) == house.refused_by()
        day = datetime(2026, 6, 14, 22, tzinfo=UTC), datetime(2026, 6, 15, 22, tzinfo=UTC)
        assert [("north-2026", *day)] == house.ledger.asked

    @pytest.mark.parametrize(("sealed", "granted"), [(9, True), (10, False)])
    def test_total(self, house: House, sealed: int, *, granted: bool) -> None:
        """The total quota counts every seal ever given."""
        house.scope["quota"] = {"total": 10}
        house.ledger.seals["north-2026"] = sealed

        assert ([] if granted else ["quota-total"]) == house.refused_by()
        assert [("north-2026", None, None)] == house.ledger.asked

    def test_a_batch_counts_itself(self, house: House) -> None:
        """What a batch was granted counts against what follows in it; asking for an explanation counts nothing."""
        house.scope["quota"] = {"daily": 3}
        house.ledger.seals_today["north-2026"] = 1
        sitting = house.policy().sitting(at=NOON)
        for _ in range(2):
            assert sitting.decide(NORTH_CALLER, FACTS).grant
            sitting.grant(NORTH_CALLER, FACTS)

        with pytest.raises(MandateRefused, match="quota-daily"):
            sitting.grant(NORTH_CALLER, FACTS)
        assert 1 == len(house.ledger.asked)

    def test_batches_count_one_another(self, house: House) -> None:
        """What another batch was granted counts before it is recorded, and once only after that."""
        house.scope["quota"] = {"daily": 3}
        policy = house.policy()
        with policy.sitting(at=NOON) as one, policy.sitting(at=NOON) as other:
            one.grant(NORTH_CALLER, FACTS)
            other.grant(NORTH_CALLER, FACTS)
            one.grant(NORTH_CALLER, FACTS)
            with pytest.raises(MandateRefused, match="quota-daily"):
                other.grant(NORTH_CALLER, FACTS)
            house.ledger.seals_today["north-2026"] = 2

        assert policy.decide(NORTH_CALLER, FACTS, at=NOON).grant
        assert (
            dict(policy.decide(NORTH_CALLER, FACTS, at=NOON).facts_used)["use of north-2026"] == "2 of 3 seal(s) today"
        )

    def test_a_grant_that_came_to_nothing_is_given_back(self, house: House) -> None:
        """When a batch has ended, what of it was not sealed is free again."""
        house.scope["quota"] = {"total": 1}
        policy = house.policy()
        with policy.sitting(at=NOON) as sitting:
            sitting.grant(NORTH_CALLER, FACTS)
            assert ["quota-total"] == [one.rule for one in policy.decide(NORTH_CALLER, FACTS, at=NOON).refusals]

        assert policy.grant(NORTH_CALLER, FACTS, at=NOON)
        assert policy.grant(NORTH_CALLER, FACTS, at=NOON)

    def test_many_threads_get_no_more_than_there_is(self, house: House) -> None:
        """Batches that race for the last seals of a quota share out exactly what is left."""
        house.scope["quota"] = {"total": 50}
        house.ledger.seals["north-2026"] = 10
        policy = house.policy()
        together = Barrier(8)

        def batch(_: int) -> int:
            granted = 0
            with policy.sitting(at=NOON) as sitting:
                together.wait()
                for _ in range(20):
                    with contextlib.suppress(MandateRefused):
                        sitting.grant(NORTH_CALLER, FACTS)
                        granted += 1
                together.wait()
            return granted

        with ThreadPoolExecutor(8) as threads:
            assert 40 == sum(threads.map(batch, range(8)))

    def test_no_quota_asks_nobody(self, house: House) -> None:
        """Without a quota the ledger is left alone."""
        house.decide()

        assert [] == house.ledger.asked


def test_rule_names_are_stable() -> None:
    """Rule names are lower-case words joined by dashes: programs and people refer to them."""
    assert all(rule.value == rule.name.lower().replace("_", "-") for rule in Rule)


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


class TestRepeatedGrants:
    """A course has many learners: the like of a grant is not judged again."""

    def test_the_same_award(self, house: House) -> None:
        """An award like the one before gets the same grant."""
        sitting = house.policy().sitting(at=NOON)

        assert sitting.grant(NORTH_CALLER, FACTS) is sitting.grant(NORTH_CALLER, replace(FACTS))

    @pytest.mark.parametrize(
        ("caller", "change"),
        [
            (NORTH_CALLER, {"award_date": date(2025, 1, 1)}),
            (NORTH_CALLER, {"awarding_bodies": (STRANGER,)}),
            (Caller("urn:nobody"), {}),
        ],
    )
    def test_another_award(self, house: House, caller: Caller, change: dict[str, object]) -> None:
        """One that differs in anything is judged for itself."""
        sitting = house.policy().sitting(at=NOON)
        sitting.grant(NORTH_CALLER, FACTS)
        with pytest.raises((CallerRefused, MandateRefused)):
            sitting.grant(caller, replace(FACTS, **change))

    def test_quota_ends_within_a_batch(self, house: House) -> None:
        """A quota that is used up within the batch refuses the rest; other mandates of the body go on."""
        house.scope.update(quota={"daily": 2}, languages=["en"], isced_f=["06"])
        other = {**house.scope, "quota": {}, "isced_f": ["07"]}
        house.files["mandates/other.toml"] = {**house.files[MANDATE], "id": "north-other", "scope": other}
        sitting = house.policy().sitting(at=NOON)
        for _ in range(2):
            assert ("north-2026",) == sitting.grant(NORTH_CALLER, FACTS).mandate_ids
        with pytest.raises(MandateRefused, match="quota-daily"):
            sitting.grant(NORTH_CALLER, FACTS)

        engineering = replace(FACTS, isced_f=frozenset({"0714"}))
        assert ("north-other",) == sitting.grant(NORTH_CALLER, engineering).mandate_ids


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
