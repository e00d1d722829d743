"""Dual control: the awarding body's own detached signature over its mandate file."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from eseal.mandate.problems import InvalidRegister

from .house import write

if TYPE_CHECKING:
    from pathlib import Path

    from .house import House

MANDATE = "mandates/north-2026.toml"
SIGNATURE = f"{MANDATE}.jws"
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """North's signing key and certificate."""

    def __init__(self, key: Any, begin: datetime = BEGIN, end: datetime = END) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "North rectorate")])
        self.key = key
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
        self.certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256())
        self.pem = self.certificate.public_bytes(Encoding.PEM)
        self.thumbprint = b64(hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).digest())

    def sign(self, content: bytes, algorithm: str, **header: Any) -> bytes:
        """A detached JWS over ``content`` as RFC 7515 appendix F makes it."""
        protected = b64(json.dumps({"alg": algorithm, "x5t#S256": self.thumbprint, **header}).encode())
        signing_input = f"{protected}.{b64(content)}".encode()
        return f"{protected}..{b64(self._signature(signing_input, algorithm))}".encode()

    def _signature(self, data: bytes, algorithm: str) -> bytes:
        match algorithm:
            case "ES256" | "ES384":
                size, digest = (32, SHA256()) if algorithm == "ES256" else (48, SHA384())
                r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(digest)))
                return bytes(r.to_bytes(size, "big") + s.to_bytes(size, "big"))
            case "PS256":
                return bytes(self.key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()))
        return bytes(self.key.sign(data, padding.PKCS1v15(), SHA256()))


@pytest.fixture(scope="module")
def signer() -> Signer:
    """A P-256 signer."""
    return Signer(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def content(house: House, signer: Signer, tmp_path: Path) -> bytes:
    """The mandate file's bytes once dual control is asked for and north's certificate is listed."""
    house.files[MANDATE]["dual_control"] = True
    house.files["members/north.toml"]["signing_certificates"] = ["north.pem"]
    house.files["certificates/north.pem"] = signer.pem
    return (write(tmp_path / "unsigned", house.files) / MANDATE).read_bytes()


def problem(house: House) -> str:
    """The one problem of the register."""
    with pytest.raises(InvalidRegister) as caught:
        house.load()
    (found,) = caught.value.problems
    assert (SIGNATURE, "signature-verifies") == (found.file, found.rule)
    return found.message


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("PS256", rsa.generate_private_key(65537, 3072)),
        ("RS256", rsa.generate_private_key(65537, 3072)),
    ],
)
def test_signed_mandates_count(house: House, content: bytes, algorithm: str, key: Any) -> None:
    """With the awarding body's signature beside it, in any of the algorithms, the mandate grants."""
    signer = Signer(key)
    house.files["certificates/north.pem"] = signer.pem
    house.files[SIGNATURE] = signer.sign(content, algorithm) + b"\n"

    assert frozenset({"north-2026"}) == house.load().countersigned
    assert [] == house.refused_by()


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - refused, as it should be
        ec.generate_private_key(ec.SECP256K1()),
        dsa.generate_private_key(2048),
    ],
    ids=["Ed25519", "RSA of 1024 bits", "secp256k1", "DSA"],
)
def test_a_key_that_no_algorithm_has(house: House, content: bytes, key: Any) -> None:
    """A listed certificate over such a key is told where something is signed by it."""
    signer = Signer(key)
    house.files["certificates/north.pem"] = signer.pem
    protected = b64(json.dumps({"alg": "ES256", "x5t#S256": signer.thumbprint}).encode())
    house.files[SIGNATURE] = f"{protected}..{b64(bytes(64))}".encode()

    assert content
    assert "cannot be used" in problem(house)


def test_a_certificate_of_a_version_that_there_is_not(house: House, signer: Signer, content: bytes) -> None:
    """It is told like anything else that is no certificate."""
    der = signer.certificate.public_bytes(Encoding.DER)
    version_4 = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020103"), 1)
    house.files["certificates/north.pem"] = (
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(version_4) + b"-----END CERTIFICATE-----\n"
    )
    with pytest.raises(InvalidRegister) as caught:
        house.load()

    assert content
    assert ["certificate-form"] == [one.rule for one in caught.value.problems]


def test_unsigned_mandates_do_not(house: House, content: bytes) -> None:
    """Without it the mandate refuses, and the others of the register are as good as before."""
    assert content
    assert ["mandate-dual-control"] == house.refused_by()
    register = house.load()
    (given,) = [one for member in register.members.values() for one in register.mandates_of(member) if one.dual_control]
    assert "not countersigned" == register.state_of(given, date(2026, 6, 15))


def test_a_changed_mandate_breaks_the_register(house: House, signer: Signer, content: bytes) -> None:
    """One changed character of a signed mandate, and the register does not load."""
    house.files[SIGNATURE] = signer.sign(content, "ES256")
    house.files[MANDATE] = content.replace(b"2026-12-31", b"2027-12-31")

    assert "does not verify over the mandate file as it stands" in problem(house)


def test_withdrawal_keeps_the_signature_good(house: House, signer: Signer, content: bytes) -> None:
    """What happens to a mandate stands in another file, so that it can be withdrawn by the alliance alone."""
    house.files[SIGNATURE] = signer.sign(content, "ES256")
    house.files["status/n.toml"] = {"mandate": "north-2026", "withdrawn_on": date(2026, 6, 1), "reason": "ended"}

    assert ["mandate-not-withdrawn"] == house.refused_by()


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"alg": "none"}, "another algorithm"),
        ({"alg": "HS256"}, "another algorithm"),
        ({"crit": ["exp"], "exp": 1}, "header that is not understood"),
        ({"b64": False}, "header that is not understood"),
        ({"x5t#S256": "AAAA"}, "names no certificate"),
        ({"jwk": {}}, "header that is not understood"),
    ],
)
def test_headers(house: House, signer: Signer, content: bytes, header: dict[str, Any], word: str) -> None:
    """Only a header that says plainly who signed, and how, is taken."""
    house.files[SIGNATURE] = signer.sign(content, "ES256", **header)

    assert word in problem(house)


def test_a_strangers_signature(house: House, content: bytes) -> None:
    """A signature of somebody whose certificate the register does not list for the member does not count."""
    house.files[SIGNATURE] = Signer(ec.generate_private_key(ec.SECP256R1())).sign(content, "ES256")

    assert "names no certificate" in problem(house)


def test_a_certificate_that_was_not_valid(house: House, content: bytes) -> None:
    """The certificate must have been valid on the day the mandate says it was signed."""
    late = Signer(ec.generate_private_key(ec.SECP256R1()), begin=datetime(2025, 12, 2, tzinfo=UTC))
    house.files["certificates/north.pem"] = late.pem
    house.files[SIGNATURE] = late.sign(content, "ES256")

    assert "not valid on 2025-12-01" in problem(house)


@pytest.mark.parametrize(
    ("begin", "good"),
    [
        # Amsterdam is an hour ahead of UTC: its 1 December ends at 23:00.
        (datetime(2025, 12, 1, 22, 59, 59, tzinfo=UTC), True),
        (datetime(2025, 12, 1, 23, 0, tzinfo=UTC), False),
    ],
)
def test_the_day_of_signing_is_the_alliances(house: House, content: bytes, begin: datetime, *, good: bool) -> None:
    """A certificate counts if it was valid at some moment of that day, by the alliance's clock."""
    signer = Signer(ec.generate_private_key(ec.SECP256R1()), begin=begin)
    house.files["certificates/north.pem"] = signer.pem
    house.files[SIGNATURE] = signer.sign(content, "ES256")

    if good:
        assert [] == house.refused_by()
    else:
        assert "not valid on 2025-12-01" in problem(house)


@pytest.mark.parametrize(
    "end", [datetime(2025, 11, 30, 22, 59, 59, tzinfo=UTC), datetime(2025, 11, 30, 23, 0, tzinfo=UTC)]
)
def test_a_signing_certificate_that_expired(house: House, content: bytes, end: datetime) -> None:
    """One that ended before the day of signing does not count; one that ends on it, or afterwards, does."""
    signer = Signer(ec.generate_private_key(ec.SECP256R1()), end=end)
    house.files["certificates/north.pem"] = signer.pem
    house.files[SIGNATURE] = signer.sign(content, "ES256")

    if end.hour == 23:
        assert [] == house.refused_by()
    else:
        assert "not valid on 2025-12-01" in problem(house)


def test_a_certificate_without_an_end(house: House, content: bytes) -> None:
    """99991231235959Z means that there is no end (RFC 5280 section 4.1.2.5), also east of Greenwich."""
    signer = Signer(ec.generate_private_key(ec.SECP256R1()), end=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    house.files["certificates/north.pem"] = signer.pem
    house.files[SIGNATURE] = signer.sign(content, "ES256")

    assert [] == house.refused_by()


@pytest.mark.parametrize("signature", [b"", b"a..b", b"{}", b"e30..", b"e30.e30.AAAA", b"\xff\xfe"])
def test_what_is_no_detached_jws(house: House, content: bytes, signature: bytes) -> None:
    """Anything else beside a mandate is told for what it is."""
    assert content
    house.files[SIGNATURE] = signature

    assert "the signature of 'north'" in problem(house)


def test_openssl_makes_one(house: House, tmp_path: Path) -> None:
    """An awarding body needs no software of ours: openssl and base64 make the signature that docs/mandate.md shows."""
    make = "openssl req -x509 -newkey rsa:3072 -nodes -keyout key.pem -out north.pem -subj /CN=North"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    house.files[MANDATE]["dual_control"] = True
    begin = x509.load_pem_x509_certificate((tmp_path / "north.pem").read_bytes()).not_valid_before_utc
    house.files[MANDATE]["signed_on"] = begin.date()
    house.files[MANDATE]["valid_until"] = begin.date().replace(year=begin.year + 1)
    house.files["members/north.toml"]["signing_certificates"] = ["north.pem"]
    house.files["certificates/north.pem"] = (tmp_path / "north.pem").read_bytes()
    folder = write(tmp_path / "unsigned", house.files)
    sign = """
      b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
      thumbprint=$(openssl x509 -in north.pem -outform DER | openssl dgst -sha256 -binary | b64)
      header=$(printf '{"alg":"RS256","x5t#S256":"%s"}' "$thumbprint" | b64)
      signature=$(printf '%s.%s' "$header" "$(b64 < "$1")" | openssl dgst -sha256 -sign key.pem | b64)
      printf '%s..%s\\n' "$header" "$signature" > "$1.jws"
    """
    subprocess.run(["bash", "-ec", sign, "sign", str(folder / MANDATE)], cwd=tmp_path, check=True)
    house.files[SIGNATURE] = (folder / SIGNATURE).read_bytes()

    assert frozenset({"north-2026"}) == house.load().countersigned
