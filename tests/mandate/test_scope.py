"""What a mandate is for: its scope, and accreditation where that is required."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from eseal.terms import Profile

from .house import (
    ACCREDITATION,
    MEMBER,
    NORTH,
    SHORT_PROGRAMME,
    SOUTH,
    House,
    noon,
)


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

    def test_jurisdiction_is_about_the_accredited_body(self, house: House) -> None:
        """Where the other body of a joint award lies is not asked, and does not stand for a body that states nothing."""
        house.files[MEMBER]["accreditation"][0]["limit_jurisdictions"] = ["IRL"]
        house.scope["joint_awards"] = True
        joint = {**self.MATCHING, "countries": frozenset({"IRL", "NLD"})}
        nowhere = replace(NORTH, countries=frozenset())
        south = replace(SOUTH, countries=frozenset({"IRL"}))

        assert "accreditation-jurisdiction" not in house.refused_by(**{**joint, "awarding_bodies": (NORTH, SOUTH)})
        assert "accreditation-jurisdiction" in house.refused_by(**{**joint, "awarding_bodies": (nowhere, south)})

    @pytest.mark.parametrize("profile", [Profile.ACCREDITED, Profile.DIPLOMA_SUPPLEMENT])
    def test_accredited_profile_needs_one_in_any_case(self, house: House, profile: Profile) -> None:
        """An accredited credential needs a matching accreditation though the mandate asks for none.

        A diploma supplement is one: its profile imports the accredited one.
        """
        house.scope["accreditation_required"] = False
        accredited = frozenset({Profile.GENERIC, profile})

        assert ["accreditation-stated"] == house.refused_by(profiles=accredited)
        assert [] == house.refused_by(profiles=accredited, **self.MATCHING)
