"""A batch keeps its neighbours apart."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from eseal.batch import Batch
from eseal.errors import EsealError, Internal, InvalidInput


def _half(value: int) -> int:
    if value % 2:
        raise InvalidInput("ODD", "It is odd.")
    return value // 2


def test_each_settles_only_what_fails() -> None:
    """An item whose step raises is settled with the error; the others go on, in their places."""
    batch: Batch[int] = Batch(4)

    following = batch.each({0: 2, 1: 3, 2: 4, 3: 8}, _half)
    for place, value in following.items():
        batch.settle(place, value)

    assert {0: 1, 2: 2, 3: 4} == following
    assert [1, "ODD", 2, 4] == [getattr(outcome, "reason", outcome) for outcome in batch.outcomes()]


def test_together_answers_per_item() -> None:
    """A step over all values may answer some of them with errors."""
    batch: Batch[int] = Batch(2)

    following = batch.together({0: 1, 1: 2}, lambda values: [InvalidInput("NO", "no"), values[1]])

    assert {1: 2} == following
    assert "NO" == batch.outcomes()[0].reason


def test_together_that_raises_settles_all() -> None:
    """A step that raises for the whole batch settles every item with that error."""
    batch: Batch[int] = Batch(2)

    def fail(values: list[int]) -> list[int | EsealError]:
        raise InvalidInput("ALL", f"{len(values)} failed")

    assert {} == batch.together({0: 1, 1: 2}, fail)
    assert ["ALL", "ALL"] == [outcome.reason for outcome in batch.outcomes()]


def test_unforeseen_failures_are_ours_and_say_nothing() -> None:
    """An exception that nobody foresaw becomes INTERNAL, without the text that may quote what the caller sent."""
    batch: Batch[int] = Batch(1)

    def fail(_: int) -> int:
        raise KeyError("Ada Lovelace")

    batch.each({0: 1}, fail)
    (outcome,) = batch.outcomes()

    assert isinstance(outcome, Internal)
    assert "Ada" not in outcome.message


def test_first_word_counts() -> None:
    """An item is settled once."""
    batch: Batch[int] = Batch(1)

    batch.settle(0, 1)
    batch.settle(0, 2)

    assert [1] == batch.outcomes()


def test_nothing_is_left_unsettled() -> None:
    """An item that was lost on the way is answered all the same."""
    assert "UNSETTLED" == Batch(1).outcomes()[0].reason


def test_an_empty_batch_takes_no_step() -> None:
    """A stage is not run for nobody."""
    batch: Batch[int] = Batch(0)

    assert {} == batch.together({}, lambda _: 1 / 0)


class _Document:
    """What an item brings along: megabytes, in the service."""


@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_a_refused_item_is_not_kept(*, ours: bool, together: bool) -> None:
    """What was refused is free once its outcome is told; no garbage collector has to come by."""

    def refuse(value: object) -> Any:
        raise ValueError(type(value)) if ours else InvalidInput("TEST", f"No {type(value)}.")

    def settle(document: _Document) -> list[object]:
        batch: Batch[object] = Batch(1)
        (batch.together if together else batch.each)({0: document}, refuse)
        return batch.outcomes()

    gc.disable()
    try:
        document = _Document()
        gone = weakref.ref(document)
        assert isinstance(settle(document)[0], EsealError)
        del document
        assert gone() is None
    finally:
        gc.enable()
