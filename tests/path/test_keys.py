"""Several seal keys in one house: which one seals, rotation, and what an old key's seals are worth."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from eseal import sealcore
from eseal.assembly import House
from eseal.config import load, load_token
from eseal.errors import Unavailable
from eseal.hsm import generate_key
from eseal.issuance.stages import IssueRequest
from eseal.rpc.translate import domain
from eseal.terms import Algorithm, Caller
from eseal.trust import practice as pki
from eseal.verification import VerifyInput
from eseal.verification.report import Verdict
from eseal_client.wire import verification_pb2
from tests.harness.server import PracticeSet, practice_set, refused_start, running_server
from tests.path.calls import ADA, issue_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eseal.terms import LegalEntity
    from eseal_client import MicroCredential

DCU = Caller("spiffe://eciu.example/member/dcu/back-end")
FIRST = '[[keys]]\nlabel = "seal-1"'


def _add_key(
    practice: PracticeSet,
    label: str,
    *,
    algorithm: Algorithm = Algorithm.ES256,
    lifetime: pki.Lifetime | None = None,
    sealer: LegalEntity = pki.PRACTICE_SEALER,
    more: str = "",
    before: bool = False,
) -> None:
    """Make a key in the practice token, certify it and configure it, ``before`` the first one or after it."""
    settings, _ = load_token(practice.config)
    public_key = load_der_public_key(generate_key(settings, label, algorithm))
    certificate = pki.seal_certificate(practice.issuing_ca, public_key, lifetime=lifetime, sealer=sealer)
    (practice.folder / f"seal/{label}.pem").write_bytes(certificate.chain_pem)
    table = (
        f'[[keys]]\nlabel = "{label}"\nalgorithm = "{algorithm}"\ncertificate_chain = "seal/{label}.pem"\n{more}\n\n'
    )
    if before:
        practice.configure((FIRST, table + FIRST))
    else:
        practice.configure(("[mandate]", table + "[mandate]"))


def _sealed_by(practice: PracticeSet, sealed: bytes) -> str:
    """The label of the key whose certificate stands in the seal."""
    protected = json.loads(sealcore.base64url_decode(json.loads(sealed)["signatures"][0]["protected"]))
    leaf = x509.load_der_x509_certificate(base64.b64decode(protected["x5c"][0]))
    for file in (practice.folder / "seal").iterdir():
        if x509.load_pem_x509_certificate(file.read_bytes()) == leaf:
            return "seal-1" if file.stem == "chain" else file.stem
    raise AssertionError(leaf.subject)


@pytest.fixture
def practice(tmp_path: Path) -> PracticeSet:
    """A practice set with one key."""
    return practice_set(tmp_path / "set")


def test_key_is_chosen_by_mandate(practice: PracticeSet, course: MicroCredential) -> None:
    """A key that names a mandate seals for it and for nothing else, with its own algorithm."""
    _add_key(practice, "utwente-key", algorithm=Algorithm.ES384, more='mandates = ["utwente-practice"]')
    _add_key(practice, "dcu-key", algorithm=Algorithm.PS256, more='mandates = ["dcu-practice"]')
    with running_server(practice) as server, server.issuance() as stub, server.verification() as verification:
        issued = stub.Issue(issue_request(course))
        report = verification.Verify(verification_pb2.VerifyRequest(document=issued.sealed))

    assert "dcu-key" == _sealed_by(practice, issued.sealed)
    assert verification_pb2.VERDICT_PARTIALLY_VERIFIED == report.verdict


def test_default_goes_before_the_first(practice: PracticeSet, course: MicroCredential) -> None:
    """Where no key names the mandate, the default seals."""
    _add_key(practice, "second", more="default = true")
    with running_server(practice) as server, server.issuance() as stub:
        assert "second" == _sealed_by(practice, stub.Issue(issue_request(course)).sealed)


def test_rotation(practice: PracticeSet, course: MicroCredential) -> None:
    """The new certificate seals from the day it begins; what the old one sealed is answered again, byte for byte."""
    with running_server(practice) as server, server.issuance() as stub:
        first = stub.Issue(issue_request(course, "before"))

    next_month = datetime.now(UTC) + timedelta(days=30)
    _add_key(practice, "seal-3", lifetime=pki.Lifetime(not_before=next_month), before=True)
    with running_server(practice) as server, server.issuance() as stub:
        assert "seal-1" == _sealed_by(practice, stub.Issue(issue_request(course)).sealed)

    _add_key(practice, "seal-2", before=True)
    with running_server(practice) as server, server.issuance() as stub:
        assert "seal-2" == _sealed_by(practice, stub.Issue(issue_request(course)).sealed)
        again = stub.Issue(issue_request(course, "before"))

    assert first.sealed == again.sealed
    assert "seal-1" == _sealed_by(practice, again.sealed)


def test_failed_before_and_retried_after_a_rotation(practice: PracticeSet, course: MicroCredential) -> None:
    """A retry that the new key seals claims a time at which that key's certificate is valid, and is replayed as it is."""
    request = IssueRequest(request_id="retried", micro_credential=domain(course), learner=domain(ADA))
    with House(load(practice.config)) as house:
        house.key_room._lanes.close(Unavailable("HSM_AWAY", "The HSM is away."))
        (failed,) = house.issuance.run([request], caller=DCU)
        (first,) = house.ledger.recall([(DCU.uri, "retried")])
    time.sleep(2)
    begins = datetime.now(UTC).replace(microsecond=0)
    _add_key(practice, "seal-2", lifetime=pki.Lifetime(not_before=begins), before=True)

    with House(load(practice.config)) as house:
        (sealed,) = house.issuance.run([request], caller=DCU)
        (again,) = house.issuance.run([request], caller=DCU)
        (report,) = house.verify([VerifyInput(sealed.sealed)])

    assert "HSM_AWAY" == failed.reason
    assert "seal-2" == _sealed_by(practice, sealed.sealed)
    assert first.intent.issued < begins <= report.seals[0].signing_time
    assert Verdict.PARTIALLY_VERIFIED == report.verdict
    assert first.intent.credential_id == sealed.credential_id
    assert sealed.sealed == again.sealed


def test_replays_outlive_their_key(practice: PracticeSet, course: MicroCredential) -> None:
    """An old key may be taken out of the house altogether: its seals are still answered."""
    with running_server(practice) as server, server.issuance() as stub:
        first = stub.Issue(issue_request(course, "before"))
    _add_key(practice, "seal-2", before=True)
    old = practice.config.read_text()
    start = old.index(FIRST)
    practice.config.write_text(old[:start] + old[old.index("[mandate]") :])

    with running_server(practice) as server, server.issuance() as stub:
        assert first.sealed == stub.Issue(issue_request(course, "before")).sealed
        assert "seal-2" == _sealed_by(practice, stub.Issue(issue_request(course)).sealed)


def _without_seal_usage(practice: PracticeSet) -> None:
    """Give the seal key a certificate that is for encryption alone."""
    chain = practice.folder / "seal/chain.pem"
    leaf, *above = x509.load_pem_x509_certificates(chain.read_bytes())
    usage = pki._NO_KEY_USAGE | {"key_encipherment": True}
    other = (
        x509.CertificateBuilder(leaf.issuer, leaf.subject, leaf.public_key(), leaf.serial_number + 1)
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(practice.issuing_ca.key, hashes.SHA256())
    )
    chain.write_bytes(b"".join(link.public_bytes(Encoding.PEM) for link in (other, *above)))


def _with_another_issuer(practice: PracticeSet) -> None:
    """Put a CA of the same name and another key above the seal certificate."""
    chain = practice.folder / "seal/chain.pem"
    leaf = x509.load_pem_x509_certificate(chain.read_bytes())
    chain.write_bytes(leaf.public_bytes(Encoding.PEM) + pki.issuing_ca(pki.root_ca()).pem)


def _for_an_unknown_mandate(practice: PracticeSet) -> None:
    """Configure a key for a mandate whose id is misspelt."""
    _add_key(practice, "seal-2", more='mandates = ["dcu-practise"]')


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_seal_usage, "key usage of the certificate of seal key 'seal-1' allows no seals"),
        (_with_another_issuer, "has its issuer's name but another key"),
        (_for_an_unknown_mandate, "names mandate 'dcu-practise', which the register does not have"),
    ],
    ids=["usage", "issuer", "mandate"],
)
def test_keys_whose_seals_would_be_worthless(
    practice: PracticeSet, spoil: Callable[[PracticeSet], None], said: str
) -> None:
    """A house that could make only seals that no verifier takes, or with the wrong key, does not open; doctor says why."""
    spoil(practice)
    done = subprocess.run(
        [sys.executable, "-m", "eseal", "doctor", "--config", practice.config],
        capture_output=True,
        text=True,
        check=False,
    )

    assert said in " ".join(refused_start(practice).split())
    assert 1 == done.returncode
    assert said in " ".join(done.stdout.split()) or "Its key usage lets nothing be sealed" in done.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sealer": "other"}, "One service seals for one sealer"),
        ({"more": 'mandates = ["dcu-practice"]'}, "leave `mandates` out for one of them"),
    ],
    ids=["two sealers", "no key for the rest"],
)
def test_keys_that_do_not_go_together(practice: PracticeSet, more: dict[str, str], said: str) -> None:
    """A house with keys of two sealers, or with none for what no key names, does not open, and says why."""
    if "sealer" in more:
        from eseal.terms import LegalEntity

        _add_key(practice, "seal-2", sealer=LegalEntity("Another", "Another", "NTRNL-12345678", "NL"))
    else:
        practice.configure((FIRST, FIRST + '\nmandates = ["utwente-practice"]'))
        _add_key(practice, "seal-2", **more)

    assert said in " ".join(refused_start(practice).split())
