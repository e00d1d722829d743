"""What goes wrong between the stages: nothing wrong leaves, nothing is lost, nothing is sealed twice."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from eseal.errors import EsealError, Internal, Unavailable
from eseal.issuance.stages import Permit, Sealed
from eseal.terms import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eseal.assembly import House
    from eseal.issuance.stages import IssueRequest

DCU = Caller("spiffe://eciu.example/member/dcu/back-end")


class FaultyKeyRoom:
    """The real key room, with a fault at chosen places of a batch."""

    def __init__(self, room: Any, fault: Callable[[int, Any], Any]) -> None:
        self._room = room
        self._fault = fault
        self.signed = 0

    def sign(self, key: Any, digests: Sequence[bytes], **options: Any) -> list[Any]:
        """Sign, and let the fault change each answer."""
        self.signed += len(digests)
        answers = self._room.sign(key, digests, **options)
        return [self._fault(place, answer) for place, answer in enumerate(answers)]


def _words(outcomes: Sequence[Sealed | EsealError]) -> list[str]:
    return ["sealed" if isinstance(outcome, Sealed) else outcome.reason for outcome in outcomes]


def test_wrong_signature_never_leaves(
    house: House, request_for: Callable[..., IssueRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature with one flipped bit is thrown away; its neighbours are sealed, and the next try seals it too."""
    requests = [request_for(f"wrong-{n}") for n in range(3)]

    def flip(place: int, answer: bytes) -> bytes:
        return bytes([answer[0] ^ 1]) + answer[1:] if place == 1 else answer

    with monkeypatch.context() as patched:
        patched.setattr(house.issuance, "_key_room", FaultyKeyRoom(house.key_room, flip))
        first = house.issuance.run(requests, caller=DCU)
    again = house.issuance.run(requests, caller=DCU)

    assert ["sealed", "SIGNATURE_NOT_PROVEN", "sealed"] == _words(first)
    assert ["sealed", "sealed", "sealed"] == _words(again)
    assert [True, False, True] == [outcome.replayed for outcome in again]


def test_unsigned_item_keeps_its_credential_id(
    house: House, request_for: Callable[..., IssueRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that the HSM failed is attempted again under the credential id and issue time of the first attempt."""
    seen = []

    def fail(place: int, answer: bytes) -> Any:
        del place, answer
        return Unavailable("HSM_AWAY", "The HSM is away.")

    with monkeypatch.context() as patched:
        patched.setattr(house.issuance, "_key_room", FaultyKeyRoom(house.key_room, fail))
        (failed,) = house.issuance.run([request_for("unsigned")], caller=DCU)
        (entry,) = house.ledger.recall([(DCU.uri, "unsigned")])
        seen.append(entry.intent.credential_id)
    (sealed,) = house.issuance.run([request_for("unsigned")], caller=DCU)

    assert "HSM_AWAY" == failed.reason
    assert seen == [sealed.credential_id]


def test_outcome_that_is_not_durable_does_not_leave(
    house: House, request_for: Callable[..., IssueRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the outcome cannot be written, the caller gets an error, and no seal; nothing is half done."""

    def fail(outcomes: Any) -> Any:
        raise Unavailable("LEDGER_AWAY", "The ledger is away.")

    with monkeypatch.context() as patched:
        patched.setattr(house.ledger, "conclude", fail, raising=True)
        (failed,) = house.issuance.run([request_for("not-durable")], caller=DCU)

    assert "LEDGER_AWAY" == failed.reason


def test_replay_asks_neither_policy_nor_key(
    house: House, request_for: Callable[..., IssueRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed is answered from the ledger: no HSM operation, whatever the mandates say by now."""
    (first,) = house.issuance.run([request_for("replay")], caller=DCU)
    monkeypatch.setattr(house.issuance, "_key_room", None)
    monkeypatch.setattr(house.policy, "sitting", lambda at: nullcontext())
    (again,) = house.issuance.run([request_for("replay")], caller=DCU)

    assert first.sealed == again.sealed
    assert again.replayed


def test_late_call_touches_nothing(house: House, request_for: Callable[..., IssueRequest]) -> None:
    """A call whose time is up leaves no intent."""
    (outcome,) = house.issuance.run([replace(request_for("late"), deadline=time.monotonic() - 1)], caller=DCU)

    assert "DEADLINE_EXCEEDED" == outcome.reason
    assert [None] == house.ledger.recall([(DCU.uri, "late")])


def test_twice_in_one_batch(house: House, request_for: Callable[..., IssueRequest]) -> None:
    """A request id that stands twice in one batch is sealed once."""
    outcomes = house.issuance.run([request_for("twice"), request_for("twice")], caller=DCU)

    assert ["sealed", "REQUEST_ID_INVALID"] == _words(outcomes)


def test_permit_is_single_use() -> None:
    """A permit hands over its digest once, and only after its intent was recorded."""
    permit = Permit(None, b"{}", b"", "", b"digest")  # type: ignore[arg-type]
    with pytest.raises(Internal):
        permit.redeem()
    permit.claim = object()  # type: ignore[assignment]

    assert b"digest" == permit.redeem()
    with pytest.raises(Internal):
        permit.redeem()


def test_unforeseen_failure_stays_in_its_item(
    house: House, request_for: Callable[..., IssueRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in one item is INTERNAL for that item alone."""
    from eseal import issuance

    drafted = issuance.draft
    requests = [request_for("ours-0"), request_for("ours-1")]

    def fail_first(course: Any, learner: Any) -> Any:
        if not made:
            made.append(1)
            raise ZeroDivisionError
        return drafted(course, learner)

    made: list[int] = []
    monkeypatch.setattr(issuance, "draft", fail_first)

    assert ["INTERNAL", "sealed"] == _words(house.issuance.run(requests, caller=DCU))


def test_payload_is_what_the_ledger_says(house: House, request_for: Callable[..., IssueRequest]) -> None:
    """The ledger's payload digest is that of the sealed payload; the row names mandate, member and register."""
    (sealed,) = house.issuance.run([request_for("row")], caller=DCU)
    (entry,) = house.ledger.recall([(DCU.uri, "row")])

    assert entry.intent.payload_sha256 == sealed.payload_sha256
    assert ("dcu", ("dcu-practice",)) == (entry.intent.member, entry.intent.mandate_ids)
    assert entry.signature
    assert json.loads(sealed.sealed)["signatures"][0]["protected"] == entry.intent.protected
