"""Replicas that race for the same requests: one signature of each is released, and everybody is answered with it."""

from __future__ import annotations

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from eseal.ledger import Admitted, Busy, Outcome, Release, Resume, Settled, State
from tests.ledger.intents import intent, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.ledger import Entry, Ledger
    from tests.ledger.conftest import OpenLedger

BATCHES = tuple([f"{batch}-{number}" for number in range(3)] for batch in range(5))
REQUESTS = [request_id for batch in BATCHES for request_id in batch]
THREADS = 4
PATIENCE_SECONDS = 20


class Replica:
    """Seals as issuance does, with several threads on a ledger of its own."""

    def __init__(self, ledger: Ledger, meeting: threading.Barrier, *, slow: float) -> None:
        """``slow`` is how many seconds the first signatures take."""
        self.ledger = ledger
        # The request id of each release, and what the answers were: appending is atomic.
        self.released: list[str] = []
        self.met: list[str] = []
        self._meeting = meeting
        self._slow = slow

    def answers(self, seed: int) -> dict[str, tuple[object, ...]]:
        """Have every request sealed, and call again for what must wait; ``seed`` decides the order within a batch."""
        chance = random.Random(seed)  # noqa: S311 - an order
        answers: dict[str, tuple[object, ...]] = {}
        for batch in BATCHES:
            answers.update(self._seal(chance.sample(batch, len(batch)), together=True))
            until = time.monotonic() + PATIENCE_SECONDS
            while waiting := [one for one in batch if one not in answers]:
                assert time.monotonic() < until, f"still waiting for {waiting}"
                time.sleep(0.002)
                answers.update(self._seal(waiting))
        return answers

    def _seal(self, batch: Sequence[str], *, together: bool = False) -> dict[str, tuple[object, ...]]:
        """One call: recall, intend, sign, conclude. What is not answered must be asked for again.

        ``together``: nobody intends before everybody has found the requests new; who is first then takes its time to sign.
        """
        entries = self.ledger.recall(keys([intent(one) for one in batch]))
        if together:
            assert [None] * len(batch) == entries
            self._meeting.wait(PATIENCE_SECONDS)
        answers = {one: _bytes(entry) for one, entry in zip(batch, entries, strict=True) if _is_sealed(entry)}
        intents = [
            intent(one, **({"credential_id": entry.intent.credential_id} if entry else {}))
            for one, entry in zip(batch, entries, strict=True)
            if one not in answers
        ]
        admissions = self.ledger.intend(intents)
        outcomes: dict[str, Outcome] = {}
        for one, admission in zip(intents, admissions, strict=True):
            self.met.append(type(admission).__name__)
            if isinstance(admission, Settled):
                answers[one.request_id] = _bytes(admission.entry)
            elif isinstance(admission, Admitted):
                outcomes[one.request_id] = Outcome(admission.claim, os.urandom(64), (f"xVals of {one.request_id}",))
            else:
                assert isinstance(admission, Busy | Resume)
        if together and outcomes:
            time.sleep(self._slow)
        conclusions = self.ledger.conclude(list(outcomes.values()))
        for (request_id, outcome), conclusion in zip(outcomes.items(), conclusions, strict=True):
            self.met.append(type(conclusion).__name__)
            if isinstance(conclusion, Release):
                self.released.append(request_id)
                (sealed,) = (one for one in intents if one.request_id == request_id)
                answers[request_id] = (sealed.credential_id, sealed.issued, outcome.signature, outcome.etsi_u)
        return answers


def _is_sealed(entry: Entry | None) -> bool:
    return entry is not None and entry.state is State.SEALED


def _bytes(entry: Entry) -> tuple[object, ...]:
    """What a sealed document is rebuilt from, as far as two tries for one request differ in it."""
    return entry.intent.credential_id, entry.intent.issued, entry.signature, entry.etsi_u


@pytest.mark.parametrize(
    ("lease", "slow", "losers"),
    [
        pytest.param(60, 0.005, {"Busy"}, id="who comes second waits"),
        pytest.param(0.02, 0.08, {"Busy", "Lost"}, id="who is slow is overtaken"),
    ],
)
def test_replicas_release_one_signature_of_each_request(
    open_ledger: OpenLedger, lease: float, slow: float, losers: set[str]
) -> None:
    """Two ledgers on one database, four threads each, the same requests: one releases, everybody has the same bytes."""
    meeting = threading.Barrier(2 * THREADS)
    replicas = [Replica(open_ledger(claim_lease_seconds=lease), meeting, slow=slow) for _ in range(2)]
    with ThreadPoolExecutor(2 * THREADS) as threads:
        racing = [threads.submit(replicas[n % 2].answers, seed=n) for n in range(2 * THREADS)]
        answers = [one.result() for one in racing]

    assert sorted(REQUESTS) == sorted(replicas[0].released + replicas[1].released)
    assert [set(REQUESTS)] * 2 * THREADS == [set(one) for one in answers]
    assert [1] * len(REQUESTS) == [len({one[request_id] for one in answers}) for request_id in REQUESTS]
    assert losers <= set(replicas[0].met + replicas[1].met)
    assert () == replicas[0].ledger.check().faults
    assert len(REQUESTS) == replicas[0].ledger.sealed("dcu-2026")
