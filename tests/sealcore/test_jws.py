"""JWS bytes: assembled, read back, and verified against `cryptography`'s signatures."""

from __future__ import annotations

import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from eseal import sealcore

PAYLOAD = '{"a":"é \\" \u0001"}'.encode()
EC = {"ES256": (ec.SECP256R1(), hashes.SHA256(), 32), "ES384": (ec.SECP384R1(), hashes.SHA384(), 48)}


def _spki(key: object) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key of 3072 bits."""
    return rsa.generate_private_key(65537, 3072)


def _verified(algorithm: str, key: object, protected: str, signature: bytes, payload: bytes = PAYLOAD) -> bool:
    public = sealcore.PublicKey(_spki(key))
    return sealcore.verify_many([public], [algorithm], [protected], [payload], [signature], b64=False)[0]


@pytest.mark.parametrize("algorithm", list(EC))
def test_ecdsa(algorithm: str) -> None:
    """Raw r and s of fixed width verify; other bytes, another algorithm and a DER signature do not."""
    curve, digest, width = EC[algorithm]
    key = ec.generate_private_key(curve)
    protected = sealcore.base64url_encode(b"{}")
    der = key.sign(protected.encode() + b"." + PAYLOAD, ec.ECDSA(digest))
    raw = sealcore.ecdsa_from_der(der, width)

    assert 2 * width == len(raw)
    assert _verified(algorithm, key, protected, raw)
    assert not _verified(algorithm, key, protected, raw, PAYLOAD + b" ")
    assert not _verified("RS256", key, protected, raw)
    assert not _verified(algorithm, key, protected, der)
    assert not _verified(algorithm, key, protected, raw[:-1])


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**200))
def test_short_r_and_s_keep_their_width(r: int, s: int) -> None:
    """An r or s with leading zero bytes is padded to the curve's width, and DER has none of them."""
    raw = r.to_bytes(32) + s.to_bytes(32)

    assert raw == sealcore.ecdsa_from_der(sealcore.ecdsa_to_der(raw), 32)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_rsa(rsa_key: rsa.RSAPrivateKey, algorithm: str) -> None:
    """PKCS#1 v1.5 and PSS (salt as long as the hash) verify, each under its own name only."""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    scheme = {"RS256": padding.PKCS1v15(), "PS256": pss}[algorithm]
    protected = sealcore.base64url_encode(b"{}")
    signature = rsa_key.sign(protected.encode() + b"." + PAYLOAD, scheme, hashes.SHA256())

    assert _verified(algorithm, rsa_key, protected, signature)
    assert not _verified({"RS256": "PS256", "PS256": "RS256"}[algorithm], rsa_key, protected, signature)


def test_signing_digest_is_over_the_signing_input() -> None:
    """RFC 7797: the protected header, a full stop, the raw payload."""
    (digest,) = sealcore.signing_digests("sha256", ["e30"], [PAYLOAD], b64=False)

    assert hashlib.sha256(b"e30." + PAYLOAD).digest() == digest


def test_general_document_round_trip() -> None:
    """The payload stands first, as a JSON string; it and every signature are read back as they were."""
    protected = sealcore.base64url_encode(b'{"b64":false,"crit":["b64"]}')
    (document,) = sealcore.assemble_general_many([PAYLOAD], [protected], [b"\x01" * 64], None, b64=False)
    jws = sealcore.parse_jws(document)

    assert document.startswith(b'{"payload":"')
    assert ["payload", "signatures"] == list(json.loads(document))
    assert ("general", PAYLOAD, b"\x01" * 64) == (jws.serialization, jws.payload, jws.signatures[0].signature)
    assert "header" not in json.loads(document)["signatures"][0]


@pytest.mark.parametrize(
    "document",
    [
        b'{"payload":1,"signatures":[]}',
        b'{"payload":"x","payload":"y","signatures":[]}',
        b'{"payload":"x","signatures":[{"protected":"e30","signature":"AA=="}]}',
        b'{"payload":"x","signatures":[{"protected":"e30","signature":"AB"}]}',
        b"a.b",
        b"{}",
        b"[]",
    ],
)
def test_what_is_no_jws(document: bytes) -> None:
    """Wrong types, duplicate members, padded or non-canonical base64url: refused."""
    with pytest.raises((sealcore.InvalidJws, sealcore.InvalidJson)):
        sealcore.parse_jws(document)


def test_base64url_is_strict() -> None:
    """Padding, other alphabets and stray trailing bits are refused."""
    for text in ("AA==", "+/", "AB", "A", "AA\n"):
        with pytest.raises(ValueError):
            sealcore.base64url_decode(text)
    assert b"\x00" == sealcore.base64url_decode("AA")


def test_header_and_payload_agree_on_the_encoding() -> None:
    """What would be read back otherwise than it was meant is not written (RFC 7797 section 3)."""
    plain = sealcore.base64url_encode(b'{"alg":"ES256"}')
    unencoded = sealcore.base64url_encode(b'{"alg":"ES256","b64":false,"crit":["b64"]}')
    signature = bytes(64)

    for refused in (
        lambda: sealcore.assemble_general(b"{}", [(plain, signature, [])]),
        lambda: sealcore.assemble_general(b"{}", [(unencoded, signature, [])], b64=True),
        lambda: sealcore.assemble_flattened(b"{}", plain, signature),
        lambda: sealcore.assemble_compact(b"{}", unencoded, signature),
        lambda: sealcore.assemble_flattened(b"{}", "AAAA", signature),
        lambda: sealcore.assemble_flattened(b"{}", sealcore.base64url_encode(b"[]"), signature),
    ):
        with pytest.raises(ValueError, match="protected header"):
            refused()


def test_a_flattened_document_has_no_unknown_members_of_its_own() -> None:
    """``payload`` belongs to it; a member that RFC 7515 does not define is named."""
    header = sealcore.base64url_encode(b'{"alg":"ES256"}')
    document = json.loads(sealcore.assemble_flattened(b"{}", header, bytes(64), b64=True))

    assert [] == sealcore.parse_jws(json.dumps(document).encode()).signatures[0].extra
    assert ["x"] == sealcore.parse_jws(json.dumps(document | {"x": 1}).encode()).signatures[0].extra
