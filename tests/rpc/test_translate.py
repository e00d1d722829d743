"""Messages become the dataclasses of their names."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from eseal.credential import micro_credential
from eseal.errors import InvalidInput
from eseal.issuance.stages import Sealed
from eseal.rpc.translate import domain, level, write_results
from eseal.terms import LegalIdentifier, Level
from eseal.wire import credential_pb2, issuance_pb2


@pytest.mark.parametrize("name", sorted(credential_pb2.DESCRIPTOR.message_types_by_name))
def test_fields_are_the_same_on_both_sides(name: str) -> None:
    """Every message of credential.proto has a dataclass with exactly its fields."""
    kind = LegalIdentifier if name == "LegalIdentifier" else getattr(micro_credential, name)
    fields = {field.name for field in credential_pb2.DESCRIPTOR.message_types_by_name[name].fields}

    assert fields == {field.name for field in dataclasses.fields(kind)}


def test_values_arrive() -> None:
    """Maps, repeated fields, dates, nested messages and enums are read; what is unset is None."""
    message = credential_pb2.MicroCredential(title={"en": "AI"}, languages=["en", "nl"])
    message.date_of_issuing.year, message.date_of_issuing.month, message.date_of_issuing.day = 2026, 2, 28
    body = message.awarding_bodies.add(legal_name={"en": "DCU"})
    body.identifiers.add(kind=credential_pb2.LEGAL_IDENTIFIER_KIND_VAT, notation="1", country="IRL")

    course = domain(message)

    assert {"en": "AI"} == course.title
    assert ("en", "nl") == course.languages
    assert date(2026, 2, 28) == course.date_of_issuing
    assert (LegalIdentifier("vat", "1", "IRL"),) == course.awarding_bodies[0].identifiers
    assert course.display is None


def test_a_date_that_does_not_exist_is_named() -> None:
    """A wrong date is InvalidInput with its place."""
    message = credential_pb2.MicroCredential()
    message.date_of_issuing.year, message.date_of_issuing.month, message.date_of_issuing.day = 2026, 2, 30

    with pytest.raises(InvalidInput) as caught:
        domain(message, "/micro_credential")

    assert "/micro_credential/date_of_issuing" == caught.value.faults[0].pointer


@pytest.mark.parametrize(("seconds", "nanos"), [(10**12, 0), (-(10**12), 0), (0, -1), (0, 10**9)])
def test_a_moment_that_does_not_exist_is_named(seconds: int, nanos: int) -> None:
    """A timestamp may hold more than a calendar does: that is InvalidInput with its place, too."""
    message = credential_pb2.MicroCredential()
    message.valid_until.seconds, message.valid_until.nanos = seconds, nanos

    with pytest.raises(InvalidInput) as caught:
        domain(message, "/micro_credential")

    assert "/micro_credential/valid_until" == caught.value.faults[0].pointer


def test_levels() -> None:
    """Unspecified leaves the level to the server; an unknown number is refused."""
    assert level(0) is None
    assert Level.B_LTA == level(credential_pb2.LEVEL_B_LTA)
    with pytest.raises(InvalidInput):
        level(99)


def test_results_are_written_in_messages_of_bounded_bytes() -> None:
    """Whatever was expected of a batch: results fill a message, and one that is larger than a message has its own."""
    sealed = [
        Sealed(
            request_id="",
            sealed=bytes(size),
            credential_id="c",
            level=Level.B_B,
            payload_sha256=bytes(32),
            mandate_ids=(),
            key_label="",
        )
        for size in (3000, 3000, 3000, 90_000, 3000)
    ]
    refused = InvalidInput("REASON", "why")
    responses = write_results(
        issuance_pb2.SealStreamResponse, list("abcdef"), [*sealed[:2], refused, *sealed[2:]], most=10_000
    )

    assert [["a", "b", "c"], ["d"], ["e"], ["f"]] == [[one.request_id for one in each.results] for each in responses]
    assert [issuance_pb2.SealStreamResponse()] == write_results(issuance_pb2.SealStreamResponse, [], [], most=10_000)
