"""Signing with a real SoftHSM: every algorithm, many threads, the key that belongs to its certificate and no other."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from eseal import sealcore
from eseal.errors import SetupError
from eseal.hsm import HsmSettings, Pkcs11KeyRoom, generate_key, practice_token
from eseal.terms import Algorithm, SealKey
from eseal.trust import practice

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGESTS = {Algorithm.ES384: hashlib.sha384}
HEADER = "e30"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> HsmSettings:
    """A token of its own."""
    return practice_token(tmp_path_factory.mktemp("token") / "hsm", label="signing", pin="2468")


@pytest.fixture(scope="module")
def keys(token: HsmSettings) -> dict[Algorithm, SealKey]:
    """A key of each algorithm in the token, with a certificate over it."""
    ca = practice.issuing_ca(practice.root_ca())
    made = {}
    for algorithm in Algorithm:
        spki = generate_key(token, label=f"key-{algorithm}", algorithm=algorithm)
        certificate = practice.seal_certificate(ca, load_der_public_key(spki))
        made[algorithm] = SealKey(f"key-{algorithm}", algorithm, certificate.seal_chain)
    return made


@pytest.fixture(scope="module")
def room(token: HsmSettings, keys: dict[Algorithm, SealKey]) -> Iterator[Pkcs11KeyRoom]:
    """An open key room with all of them."""
    opened = Pkcs11KeyRoom.open(token, list(keys.values()))
    yield opened
    opened.close()


def _digest(algorithm: Algorithm, payload: bytes) -> bytes:
    return DIGESTS.get(algorithm, hashlib.sha256)(f"{HEADER}.".encode() + payload).digest()


def _verifies(key: SealKey, payload: bytes, signature: bytes) -> bool:
    from eseal.assembly import sealing_key

    public_key = sealing_key(key).public_key
    return sealcore.verify_many([public_key], [key.algorithm], [HEADER], [payload], [signature], b64=False)[0]


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_each_algorithm_verifies(room: Pkcs11KeyRoom, keys: dict[Algorithm, SealKey], algorithm: Algorithm) -> None:
    """A batch comes back in order, and each signature verifies with the certificate's key."""
    payloads = [f"payload {n}".encode() for n in range(20)]

    signatures = room.sign(keys[algorithm], [_digest(algorithm, payload) for payload in payloads])

    assert all(_verifies(keys[algorithm], *pair) for pair in zip(payloads, signatures, strict=True))
    assert not _verifies(keys[algorithm], payloads[0], signatures[1])


def test_many_threads_do_not_crash(room: Pkcs11KeyRoom, keys: dict[Algorithm, SealKey]) -> None:
    """Eight threads sign at once for some seconds: without CKF_OS_LOCKING_OK the module crashes nine times of ten."""
    key = keys[Algorithm.ES256]
    until = time.monotonic() + 4
    wrong: list[object] = []
    signed = [0] * 8

    def sign(number: int) -> None:
        while time.monotonic() < until:
            payloads = [f"{number} {signed[number] + n}".encode() for n in range(10)]
            signatures = room.sign(key, [_digest(key.algorithm, payload) for payload in payloads])
            for payload, signature in zip(payloads, signatures, strict=True):
                if not isinstance(signature, bytes) or not _verifies(key, payload, signature):
                    wrong.append(signature)
            signed[number] += 10

    threads = [threading.Thread(target=sign, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == wrong
    assert all(signed)


def test_key_that_is_not_the_certificates(token: HsmSettings, keys: dict[Algorithm, SealKey]) -> None:
    """A certificate over another key is refused at opening, whatever the label."""
    own, other = keys[Algorithm.ES256], keys[Algorithm.ES384]
    ca = practice.issuing_ca(practice.root_ca())
    stranger = practice.seal_certificate(ca, practice.issuing_ca(practice.root_ca()).certificate.public_key())

    for key in (SealKey(own.label, own.algorithm, stranger.seal_chain), SealKey(other.label, own.algorithm, own.chain)):
        with pytest.raises(SetupError):
            Pkcs11KeyRoom.open(token, [key])


def test_absent_label(token: HsmSettings, keys: dict[Algorithm, SealKey]) -> None:
    """A label that the token does not have is named."""
    key = SealKey("nowhere", Algorithm.ES256, keys[Algorithm.ES256].chain)

    with pytest.raises(SetupError, match="nowhere"):
        Pkcs11KeyRoom.open(token, [key])
