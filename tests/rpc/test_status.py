"""Errors on the wire."""

from __future__ import annotations

import inspect

import pytest
from google.rpc import code_pb2, error_details_pb2

from eseal import errors
from eseal.errors import EsealError, InvalidInput, MandateRefused, Overloaded
from eseal.rpc.status import DOMAIN, MOST_DETAIL_BYTES, status
from eseal.terms import Fault, Refusal


def _detail(error: EsealError, kind: type) -> object:
    for packed in status(error).details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    return None


@pytest.mark.parametrize(
    "kind", [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EsealError)]
)
def test_every_kind_has_a_canonical_code(kind: type[EsealError]) -> None:
    """Each error's code is a name of google.rpc.Code."""
    assert kind.code in code_pb2.Code.keys()  # noqa: SIM118 - an enum wrapper is not iterable


def test_error_info_is_always_there() -> None:
    """AIP-193: ErrorInfo with reason and domain."""
    info = _detail(errors.Internal("BROKEN", "It broke."), error_details_pb2.ErrorInfo)

    assert ("BROKEN", DOMAIN) == (info.reason, info.domain)


def test_faults_are_field_violations() -> None:
    """A fault's pointer is the field, its rule the reason."""
    error = InvalidInput("CREDENTIAL_INVALID", "no", faults=[Fault("/a/0", "edc-generic:x.minCount", "It lacks a.")])
    (violation,) = _detail(error, error_details_pb2.BadRequest).field_violations

    assert ("/a/0", "EDC_GENERIC_X_MINCOUNT", "It lacks a.") == (
        violation.field,
        violation.reason,
        violation.description,
    )


def test_refusals_are_precondition_violations() -> None:
    """Each refused rule is a violation; its type is the rule."""
    error = MandateRefused([Refusal("scope-eqf", "EQF 8 is out of scope", "mandate-1")])
    (violation,) = _detail(error, error_details_pb2.PreconditionFailure).violations

    assert ("scope-eqf", "mandate-1") == (violation.type, violation.subject)


def test_what_passes_says_when() -> None:
    """RetryInfo holds retry_after."""
    retry = _detail(Overloaded("FULL", "full", retry_after=1.5), error_details_pb2.RetryInfo)

    assert 1.5 == retry.retry_delay.ToTimedelta().total_seconds()


def test_many_faults_fit_the_trailers() -> None:
    """A long list is cut to what a header may hold, and its true length is told."""
    faults = [Fault(f"/a/{n}", "rule", "x" * 100) for n in range(500)]
    said = status(InvalidInput("CREDENTIAL_INVALID", "no", faults=faults))

    assert said.ByteSize() < MOST_DETAIL_BYTES + 1000
    assert "500" == _detail(InvalidInput("X", "no", faults=faults), error_details_pb2.ErrorInfo).metadata["faults"]


def test_long_texts_fit_the_trailers() -> None:
    """What a caller sent is quoted by its beginning and its end, however long it is."""
    long = f"{'x' * 100_000} is not an item. Nearest known: Online."
    for error in (
        InvalidInput("MICRO_CREDENTIAL", long, faults=[Fault(f"/{long}/0", "rule", long)]),
        MandateRefused([Refusal("scope-eqf", long, long)]),
    ):
        said = status(error)

        assert said.ByteSize() < MOST_DETAIL_BYTES
        assert "Nearest known: Online." in str(said)
