"""Who may act for whom: callers, and systems that act for a part of their university."""

from __future__ import annotations

from datetime import date

import pytest

from eseal.terms import Caller

from .house import (
    FACULTY_CALLER,
    MEMBER,
    House,
    noon,
)


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
