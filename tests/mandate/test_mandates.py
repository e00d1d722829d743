"""Whether there is a mandate, and whether it is in force."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from eseal.terms import LegalEntity

from .house import (
    MANDATE,
    MEMBER,
    House,
    noon,
)


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
