"""How many seals a mandate allows, across requests and within a batch."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Barrier

import pytest

from eseal.errors import CallerRefused, MandateRefused
from eseal.terms import Caller

from .house import (
    FACTS,
    MANDATE,
    NOON,
    NORTH_CALLER,
    STRANGER,
    House,
)


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
