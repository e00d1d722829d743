"""Reading what anybody sealed: our own seals, hostile bytes, contents kept elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from eseal import sealcore
from eseal.errors import EsealError, InvalidInput
from eseal.jades.detached import Found
from eseal.jades.reading import JadesSignature, read
from tests.harness.soft_seal import SoftSealer

SEALER = SoftSealer()
PAYLOAD = '{"a":"“ö” 𝄞 \\\\ \\"quoted\\" \\u0001"}'.encode()
SEALED = SEALER.seal(PAYLOAD)


def _verifies(signature: JadesSignature) -> bool:
    key = sealcore.PublicKey(
        SEALER.certificate.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    return key.verify("ES256", signature.protected.encode() + b"." + signature.content.signed, signature.signature)


def test_our_own_seal_reads_back() -> None:
    """A fresh seal is general JSON, payload first, without an unprotected header, level B-B, no fault."""
    document = read(SEALED)
    [signature] = document.signatures

    assert SEALED.startswith(b'{"payload":"')
    assert b'"header"' not in SEALED
    assert ("general", PAYLOAD, ()) == (document.serialization, document.data, document.faults)
    assert ("B-B", (), True) == (signature.level, signature.faults, _verifies(signature))
    assert SEALER.certificate.der == signature.certificate


def test_flattened_and_compact_read_the_same() -> None:
    """The same signature reads the same in each serialisation."""
    protected = SEALER.header()
    payload = b'{"a":1}'
    signature = SEALER.sign(protected, payload)
    flattened = sealcore.assemble_flattened(payload, protected, signature, b64=False)
    compact = sealcore.assemble_compact(payload, protected, signature, b64=False)

    for document, name in ((flattened, "flattened"), (compact, "compact"), (compact + b"\n", "compact")):
        read_back = read(document)
        assert (name, payload) == (read_back.serialization, read_back.data)
        assert _verifies(read_back.signatures[0])


def test_detached_content_is_handed_in() -> None:
    """Without its payload the document asks for exactly one content; another content does not verify."""
    document = json.loads(SEALED)
    del document["payload"]
    detached = json.dumps(document).encode()

    [right] = read(detached, [PAYLOAD]).signatures
    [wrong] = read(detached, [PAYLOAD + b" "]).signatures

    assert (True, False) == (_verifies(right), _verifies(wrong))
    assert Found.SIGNED_DATA_NOT_FOUND is read(detached).signatures[0].content.found
    assert Found.SIGNED_DATA_NOT_FOUND is read(detached, [PAYLOAD, PAYLOAD]).signatures[0].content.found


def _element(value: object) -> str:
    return sealcore.base64url_encode(json.dumps(value).encode())


@pytest.mark.parametrize(
    "etsi_u",
    [
        [_element({"sigTst": {}, "xVals": []})],
        [_element([])],
        ["not base64url!"],
        [sealcore.base64url_encode(b'{"sigTst":{},"sigTst":{}}')],
        [_element({"cSig": "a.b"})],
    ],
)
def test_broken_elements_are_faults(etsi_u: list[str]) -> None:
    """An element that cannot be read is a fault with its place."""
    [signature] = read(SEALER.seal(PAYLOAD, etsi_u=etsi_u)).signatures

    assert ["etsiU"] == [fault.rule for fault in signature.faults]
    assert signature.faults[0].pointer.startswith("/signatures/0/header/etsiU/0")


def test_counter_signatures_are_read_to_a_depth() -> None:
    """A counter-signature on a counter-signature is read; a tower of them is cut off with a fault."""
    protected = sealcore.base64url_encode(b'{"alg":"ES256","iat":1,"x5t#S256":"AAAA"}')

    def tower(height: int, signed: bytes) -> dict[str, Any]:
        value = sealcore.base64url_encode(SEALER.sign(protected, signed, b64=True))
        header = {"header": {"etsiU": [_element({"cSig": tower(height - 1, b"x")})]}} if height else {}
        return {"payload": "", "protected": protected, "signature": value, **header}

    [low] = read(SEALER.seal(PAYLOAD, etsi_u=[_element({"cSig": tower(2, b"y")})])).signatures
    [high] = read(SEALER.seal(PAYLOAD, etsi_u=[_element({"cSig": tower(9, b"y")})])).signatures

    assert 4 == len(list(low.with_counter_signatures()))
    assert 5 == len(list(high.with_counter_signatures()))
    assert "too deep" in [*high.with_counter_signatures()][-1].faults[-1].message


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_read_or_are_refused(data: bytes) -> None:
    """No bytes raise anything but an error that is meant for whoever sent them."""
    with pytest.raises(InvalidInput):
        read(data)


_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
)
_ELEMENTS = st.dictionaries(
    st.sampled_from(["sigTst", "arcTst", "xVals", "rVals", "tstVD", "anyValData", "cSig", "xRefs", "rfsTst", "sigPSt"]),
    _JSON | st.just({"tstTokens": [{"val": "MAA="}]}),
    min_size=1,
    max_size=1,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["alg", "x5c", "sigD", "adoTst", "crit", "x5t#o", "sigX5ts"]), _JSON),
    st.lists(_ELEMENTS | _JSON, max_size=4),
    st.booleans(),
)
def test_any_jws_is_described(changes: dict[str, Any], elements: list[Any], clear: bool) -> None:  # noqa: FBT001
    """Whatever stands in the headers of a JWS, reading it describes it or refuses it."""
    header = json.loads(sealcore.base64url_decode(SEALER.header())) | changes
    protected = sealcore.base64url_encode(json.dumps(header).encode())
    etsi_u = elements if clear else [_element(element) for element in elements]
    signature = {"protected": protected, "header": {"etsiU": etsi_u}, "signature": "AAAA"}
    document = json.dumps({"payload": "x", "signatures": [signature]}).encode()

    try:
        read(document, [b"content"])
    except EsealError as refused:
        assert isinstance(refused, InvalidInput)  # noqa: PT017 - only this one kind may come out
