"""The life of a request: every way from intent to outcome, on both databases."""

from __future__ import annotations

import dataclasses
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from eseal.ledger import Admitted, Busy, Lost, Outcome, Release, Resume, Reused, Settled, State
from eseal.ledger.schema import POSITIONS
from eseal.terms import Level
from tests.ledger.intents import digest, intent, keys

SIGNATURE = bytes(range(64))


def seal(ledger, one, signature=SIGNATURE):
    """Take one intent all the way."""
    (admission,) = ledger.intend([one])
    assert isinstance(admission, Admitted)
    assert [Release()] == ledger.conclude([Outcome(admission.claim, signature)])
    return admission.claim


def test_a_new_request_is_unknown(ledger):
    """What was never intended is not recalled."""
    assert [None, None] == ledger.recall([("a", "1"), ("b", "1")])


def test_empty_batches_are_no_transactions(ledger):
    """Nothing to do is done without the database."""
    ledger.close()

    assert ([], [], []) == (ledger.recall([]), ledger.intend([]), ledger.conclude([]))


def test_a_sealed_request_is_recalled_whole(ledger):
    """Everything that a replay needs comes back as it went in."""
    one = intent(
        'zażółć "1"\\',
        awarding_bodies=("dcu", "utwente"),
        mandate_ids=("dcu-2026", "ut-2026"),
        issued=datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC),
        completion='{"display":"é"}'.encode(),
    )
    before = datetime.now(UTC)
    (admission,) = ledger.intend([one])
    ledger.conclude([Outcome(admission.claim, SIGNATURE, ("sigTst", "xVals"))])

    (entry,) = ledger.recall(keys([one]))

    assert one == entry.intent
    assert (State.SEALED, 1, SIGNATURE, ("sigTst", "xVals"), "") == (
        entry.state,
        entry.attempt,
        entry.signature,
        entry.etsi_u,
        entry.failure,
    )
    assert admission.claim == entry.claim
    assert before <= entry.recorded <= entry.concluded <= datetime.now(UTC)


def test_a_batch_is_answered_in_its_order(ledger):
    """Admissions, conclusions and entries stand in the places of what was asked."""
    batch = [intent(str(number)) for number in range(2500)]
    admissions = ledger.intend(batch)
    conclusions = ledger.conclude([Outcome(one.claim, digest(str(number))) for number, one in enumerate(admissions)])

    entries = ledger.recall(keys(batch))

    assert [Release()] * 2500 == conclusions
    assert [one.request_id for one in batch] == [entry.intent.request_id for entry in entries]
    assert [digest(str(number)) for number in range(2500)] == [entry.signature for entry in entries]


def test_a_sealed_request_is_settled_for_ever(ledger):
    """Whoever intends it again gets the entry, whatever it would have recorded."""
    one = intent("1")
    seal(ledger, one)

    (again,) = ledger.intend([dataclasses.replace(one, register_sha256=digest("other register"))])

    assert Settled(ledger.recall(keys([one]))[0]) == again


def test_other_content_or_level_is_refused(ledger):
    """A request id stands for one content at one level, sealed or not."""
    sealed, intended = intent("sealed"), intent("intended")
    seal(ledger, sealed)
    ledger.intend([intended])

    answers = ledger.intend(
        [
            dataclasses.replace(sealed, content_sha256=digest("other")),
            dataclasses.replace(intended, level=Level.B_T),
        ]
    )

    assert [Reused, Reused] == [type(answer) for answer in answers]
    assert [State.SEALED, State.INTENDED] == [answer.entry.state for answer in answers]


def test_callers_do_not_share_request_ids(ledger):
    """The same request id of another caller is another request."""
    mine, theirs = intent("1"), intent("1", caller="https://other.example")
    seal(ledger, mine)

    assert [None] == ledger.recall(keys([theirs]))
    assert isinstance(ledger.intend([theirs])[0], Admitted)


def test_a_live_claim_keeps_others_waiting(ledger, open_ledger):
    """Between intent and outcome a second call is told to come again, in the same process and in another."""
    one = intent("1")
    ledger.intend([one])

    for other in (ledger, open_ledger()):
        (busy,) = other.intend([one])
        assert isinstance(busy, Busy)
        assert 0 < busy.retry_after <= 1


def test_twins_in_one_batch(ledger):
    """The second of two equal requests waits; the second with other content is refused."""
    one, other = intent("1"), intent("2")

    answers = ledger.intend([one, other, one, dataclasses.replace(other, content_sha256=digest("else"))])

    assert [Admitted, Admitted, Busy, Reused] == [type(answer) for answer in answers]


def test_one_item_in_trouble_leaves_its_neighbours_alone(ledger):
    """New requests are admitted in the batch that also holds a settled, a reused and a busy one."""
    sealed, busy = intent("sealed"), intent("busy")
    seal(ledger, sealed)
    ledger.intend([busy])
    fresh = [intent("new 1"), intent("new 2")]

    answers = ledger.intend(
        [fresh[0], sealed, dataclasses.replace(sealed, content_sha256=digest("else")), busy, fresh[1]]
    )

    assert [Admitted, Settled, Reused, Busy, Admitted] == [type(answer) for answer in answers]
    assert [Release()] * 2 == ledger.conclude([Outcome(answers[n].claim, SIGNATURE) for n in (0, 4)])


def test_a_failed_attempt_may_be_made_again(ledger):
    """Its credential id must be carried on; then the next attempt is admitted, and can seal."""
    one = intent("1")
    (admission,) = ledger.intend([one])
    assert [Release()] == ledger.conclude([Outcome(admission.claim, failure="HSM_UNAVAILABLE")])
    (entry,) = ledger.recall(keys([one]))

    assert (State.FAILED, "HSM_UNAVAILABLE", b"") == (entry.state, entry.failure, entry.signature)
    assert [Resume(entry)] == ledger.intend([intent("1")])
    seal(ledger, one)
    assert (State.SEALED, 2) == (ledger.recall(keys([one]))[0].state, ledger.recall(keys([one]))[0].attempt)


def test_a_resumed_attempt_may_rest_on_other_grounds(ledger):
    """Key, mandate, completion and issue time are today's; only the credential id stays."""
    one = intent("1")
    (admission,) = ledger.intend([one])
    ledger.conclude([Outcome(admission.claim, failure="HSM_UNAVAILABLE")])
    today = dataclasses.replace(
        one,
        key_label="seal-2027",
        completion=b"{}",
        protected="other",
        mandate_ids=("dcu-2027",),
        issued=one.issued + timedelta(days=1),
    )

    seal(ledger, today)

    assert today == ledger.recall(keys([one]))[0].intent


def test_a_lease_that_ran_out_is_taken_over(open_ledger):
    """The slow worker's signature is thrown away, whichever of the two concludes first."""
    slow, quick = open_ledger(claim_lease_seconds=0.05), open_ledger(claim_lease_seconds=60)
    one = intent("1")
    (first,) = slow.intend([one])
    time.sleep(0.1)
    (second,) = quick.intend([one])

    assert [Lost()] == slow.conclude([Outcome(first.claim, b"slow")])
    assert [Release()] == quick.conclude([Outcome(second.claim, b"quick")])
    (entry,) = quick.recall(keys([one]))
    assert (State.SEALED, b"quick", 2) == (entry.state, entry.signature, entry.attempt)


def test_a_lease_that_ran_out_still_counts_until_somebody_takes_over(open_ledger):
    """Late is not lost: nobody else has begun, so the signature goes out."""
    slow = open_ledger(claim_lease_seconds=0.01)
    (first,) = slow.intend([intent("1")])
    time.sleep(0.05)

    assert [Release()] == slow.conclude([Outcome(first.claim, SIGNATURE)])


def test_concluding_again_with_the_same_signature_is_the_same_call(ledger):
    """After a commit whose answer was lost, the worker may say it again; another signature is refused."""
    (admission,) = ledger.intend([intent("1")])
    outcome = Outcome(admission.claim, SIGNATURE)

    assert [Release()] == ledger.conclude([outcome])
    assert [Release(), Lost()] == ledger.conclude([outcome, Outcome(admission.claim, b"other")])


@pytest.mark.parametrize("outcome", [{}, {"signature": b"s", "failure": "F"}])
def test_an_outcome_is_one_thing_or_the_other(outcome):
    """Neither and both are mistakes of the caller."""
    with pytest.raises(ValueError, match="either"):
        Outcome(claim=None, **outcome)


def test_a_late_conclusion_and_a_take_over_in_one_transaction(open_ledger):
    """Both in one group: the conclusion counts, and the other call is told to wait."""
    ledger = open_ledger(claim_lease_seconds=0.01)
    one = intent("1")
    (first,) = ledger.intend([one])
    time.sleep(0.05)
    answers = together(
        ledger,
        lambda: ledger.conclude([Outcome(first.claim, SIGNATURE)]),
        lambda: ledger.intend([one]),
    )

    assert [Release()] == answers[0]
    assert isinstance(answers[1][0], Busy | Settled)


def test_many_threads_share_transactions(ledger):
    """Concurrent calls are committed together: far fewer transactions than calls, each with its own answer."""
    batches = [[intent(f"{thread}-{number}") for number in range(3)] for thread in range(24)]

    answers = together(ledger, *(lambda batch=batch: ledger.intend(batch) for batch in batches))

    serials = {admission.claim.serial for answer in answers for admission in answer}
    times = {entry.recorded for batch in batches for entry in ledger.recall(keys(batch))}
    assert 72 == len(serials)
    assert 4 >= len(times)


def test_racing_threads_get_one_admission(ledger):
    """However many calls intend one request at once, one is admitted."""
    one = intent("1")

    answers = together(ledger, *([lambda: ledger.intend([one])] * 16))

    assert 1 == sum(isinstance(answer[0], Admitted) for answer in answers)


def test_replicas_write_chains_of_their_own(open_ledger):
    """Two workers on one database number their rows apart."""
    first, second = open_ledger(), open_ledger()
    claims = [seal(first, intent("1")), seal(second, intent("2")), seal(first, intent("3"))]

    assert [(1, 1), (2, 1), (1, 3)] == [divmod(claim.serial, POSITIONS) for claim in claims]


def test_seals_are_counted_by_mandate(ledger):
    """Only what was sealed counts, under each of its mandates, from the hour on that is asked for."""
    seal(ledger, intent("1", mandate_ids=("a", "b")))
    seal(ledger, intent("2", mandate_ids=("b",)))
    (failed,) = ledger.intend([intent("3", mandate_ids=("b",))])
    ledger.conclude([Outcome(failed.claim, failure="F")])
    now = datetime.now(UTC)

    assert (1, 2, 0) == tuple(ledger.sealed(mandate, None) for mandate in ("a", "b", "c"))
    assert (2, 0) == (ledger.sealed("b", now - timedelta(hours=1)), ledger.sealed("b", now + timedelta(hours=2)))


def test_healthy(ledger):
    """A ledger that can be written says so."""
    assert ledger.healthy()


def together(ledger, *calls):
    """Make the calls in threads of their own while the write lock is held, so that they meet in one transaction."""
    answers = [None] * len(calls)

    def run(place, call):
        answers[place] = call()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    with ledger._journal._writing:
        for thread in threads:
            thread.start()
            time.sleep(0.005)
    for thread in threads:
        thread.join()
    return answers
