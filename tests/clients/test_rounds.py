"""The bookkeeping of a bulk run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.rpc import code_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from eseal_client.errors import EsealError
from eseal_client.rounds import Rounds

if TYPE_CHECKING:
    import random

AWAY = EsealError(status_pb2.Status(code=code_pb2.UNAVAILABLE, message="away"))
REFUSED = EsealError(status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="no"))


def test_nothing_is_read_ahead() -> None:
    """The source is read no further than the batches that were asked for."""
    read = []

    def source() -> object:
        for number in range(100):
            read.append(number)
            yield str(number), number

    batches = Rounds(source(), batch=10, attempts=3).batches()
    next(batches)
    next(batches)

    assert 20 == len(read)


def test_what_was_unavailable_goes_out_again() -> None:
    """An item that came back UNAVAILABLE is kept back and sent in the next round; a refusal is handed on."""
    rounds = Rounds(iter([("a", 1), ("b", 2)]), batch=10, attempts=3)
    assert [[("a", 1), ("b", 2)]] == list(rounds.batches())

    assert not rounds.answered("a", AWAY)
    assert rounds.answered("b", REFUSED)
    assert rounds.pause() is not None
    assert [[("a", 1)]] == list(rounds.batches())
    assert rounds.answered("a", "sealed")
    assert rounds.pause() is None


def test_a_message_is_bounded_in_bytes() -> None:
    """Large items are fewer in a message; one that is larger than a message goes alone."""
    large = bytes(3 * 1024 * 1024)
    rounds = Rounds(
        iter([(str(n), large) for n in range(4)] + [("huge", large * 4), ("small", b"")]), batch=10, attempts=1
    )

    assert [["0", "1", "2"], ["3", "huge"], ["small"]] == [[name for name, _ in part] for part in rounds.batches()]


def test_a_message_makes_room_when_it_is_answered_as_a_whole() -> None:
    """However many messages its answers come in."""
    rounds = Rounds(((str(n), n) for n in range(25)), batch=10, attempts=1)
    assert 3 == len(list(rounds.batches()))

    assert [0, 0, 1, 0, 2] == [rounds.room(answers) for answers in (4, 5, 1, 9, 6)]


def test_patience_ends() -> None:
    """After so many attempts the error is handed on, or raised where the stream itself breaks."""
    rounds = Rounds(iter([("a", 1)]), batch=1, attempts=1)
    list(rounds.batches())
    assert not rounds.answered("a", AWAY)
    rounds.pause()
    list(rounds.batches())

    assert rounds.answered("a", AWAY)
    with pytest.raises(EsealError):
        rounds.broken(AWAY)


@given(st.integers(0, 200), st.integers(1, 17), st.randoms(use_true_random=False))
def test_every_item_is_answered_once(count: int, batch: int, chance: random.Random) -> None:
    """Whatever breaks in between, each item is handed on exactly once."""
    rounds = Rounds(((str(n), n) for n in range(count)), batch=batch, attempts=10_000)
    answered: list[str] = []
    for _ in range(10_000):
        for items in rounds.batches():
            if chance.random() < 0.1:
                rounds.broken(AWAY)
                break
            for request_id, _item in items:
                outcome = AWAY if chance.random() < 0.2 else "sealed"
                if rounds.answered(request_id, outcome):
                    answered.append(request_id)
        if rounds.pause() is None:
            break

    assert sorted(map(str, range(count))) == sorted(answered)
