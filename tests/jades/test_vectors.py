"""Documents that others published, and what a validator must find in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal.errors import InvalidInput
from eseal.jades.detached import Content, Found
from eseal.jades.etsi_u import ETSI_U_RULE
from eseal.jades.reading import JadesDocument, JadesSignature, read
from eseal.sealcore import PublicKey
from eseal.trust.certificate import read_certificate
from tests.harness.vectors import jades_expectations, vector

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPECTATIONS = jades_expectations() or {"(the vectors are not there)": "positive_json"}
POSITIVE = ("positive_json", "positive_compact", "positive_detached")


def _named(*kinds: str) -> list[str]:
    return [name for name, kind in EXPECTATIONS.items() if kind in kinds]


def _read(name: str) -> JadesDocument:
    contents = [vector(f"jades/ObjectIdByURI-{number}.html") for number in (1, 2)] if "by-uri" in name else []
    return read(vector(f"jades/{name}").read_bytes(), [Content(path.read_bytes(), path.name) for path in contents])


def _all(document: JadesDocument) -> Iterator[JadesSignature]:
    return (nested for signature in document.signatures for nested in signature.with_counter_signatures())


def _verifies(signature: JadesSignature) -> bool:
    key = PublicKey(read_certificate(signature.claimed_certificate).spki)
    signing_input = signature.protected.encode() + b"." + signature.content.signed
    return key.verify(signature.header.algorithm, signing_input, signature.signature)


def _is_whole(signature: JadesSignature) -> bool:
    stamps = all(stamp.intact for stamp in signature.timestamps)
    return signature.content.found is not Found.HASH_FAILURE and stamps and _verifies(signature)


@pytest.mark.parametrize("name", _named(*POSITIVE))
def test_positive_is_whole(name: str) -> None:
    """Every signature verifies, every time-stamp covers what it should, and the level is one of JAdES."""
    document = _read(name)

    assert [True] * len(list(_all(document))) == [_is_whole(signature) for signature in _all(document)]
    assert "NOT_ETSI" not in {signature.level for signature in _all(document)}


@pytest.mark.parametrize("name", _named("negative_integrity"))
def test_negative_integrity_is_noticed(name: str) -> None:
    """A signature that fails, a time-stamp over other bytes, a counter-signature elsewhere: none stays whole."""
    try:
        document = _read(name)
    except InvalidInput:
        return

    assert not all(_is_whole(signature) for signature in _all(document))


@pytest.mark.parametrize("name", _named("negative_parse"))
def test_negative_parse_is_refused(name: str) -> None:
    """What is malformed is refused, with the place."""
    with pytest.raises(InvalidInput) as refused:
        _read(name)

    assert "NOT_A_JWS" == refused.value.reason
    assert 1 == len(refused.value.faults)


@pytest.mark.parametrize("name", _named("negative_profile"))
def test_negative_profile_is_no_jades(name: str) -> None:
    """A JWS that breaks the profile keeps its integrity and loses its level."""
    document = _read(name)

    assert [("NOT_ETSI", True)] == [(signature.level, _verifies(signature)) for signature in document.signatures]


@pytest.mark.parametrize("name", _named("negative_structure"))
def test_negative_structure_is_a_fault(name: str) -> None:
    """An unprotected header of the wrong shape is a fault that leaves the signature intact."""
    [signature] = _read(name).signatures

    assert [ETSI_U_RULE] == [fault.rule for fault in signature.faults]
    assert not signature.etsi_u.readable
    assert _verifies(signature)


@pytest.mark.parametrize(
    "name",
    [
        "2022-json_sealed_advanced.json",
        "2022-json_to_seal-signed-jades-baseline-lta.json",
        "2023-Sample-CertOfPart-signed.jsonld",
        "2023-Sample-MC-Annex1-signed.jsonld",
    ],
)
def test_the_commissions_own_seals_are_whole(name: str) -> None:
    """RSA, sigT, LTA-shaped, some with a content time-stamp: all of it is intact."""
    document = read(vector(f"edc/{name}").read_bytes())

    assert ["B-LTA"] == [signature.level for signature in document.signatures]
    assert all(_is_whole(signature) for signature in document.signatures)
    assert document.data.startswith(b"{")


def test_references_find_their_contents_in_any_order() -> None:
    """Contents with names are matched to the references; without names, their order counts."""
    paths = [vector(f"jades/ObjectIdByURI-{number}.html") for number in (2, 1)]
    document = vector("jades/jades-detached-by-uri-encoded-pars.json").read_bytes()
    [named] = read(document, [Content(path.read_bytes(), str(path)) for path in paths]).signatures
    [unnamed] = read(document, [path.read_bytes() for path in paths]).signatures

    assert (True, False) == (_verifies(named), _verifies(unnamed))
    assert Found.SIGNED_DATA_NOT_FOUND is read(document).signatures[0].content.found


def test_reference_by_hash_refuses_another_content() -> None:
    """A content that no digest stands for is not what was sealed."""
    document = vector("jades/jades-flattened-BpB-detached-objectByURIHash.json").read_bytes()

    assert Found.SIGNED_DATA_NOT_FOUND is read(document).signatures[0].content.found
    assert Found.HASH_FAILURE is read(document, [b"another"]).signatures[0].content.found
