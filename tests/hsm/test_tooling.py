"""What an operator does before there is a certificate: see the token, make a key, request a certificate, measure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute
from typer.testing import CliRunner

from eseal.cli import app
from eseal.cli.dev import init
from eseal.config import load_token
from eseal.errors import SetupError
from eseal.hsm import list_keys, list_tokens, request_certificate
from eseal.hsm.connection import Connection
from eseal.terms import Algorithm, LegalEntity
from tests.harness.token import make_pair

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.shim import Shim
    from tests.harness.token import SealToken

SUBJECT = (
    "--organization=Stichting European Consortium of Innovative Universities",
    "--organization-identifier=NTRNL-08164880",
    "--country=NL",
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a practice set, cut down to the HSM and its key."""
    folder = tmp_path_factory.mktemp("tooling") / "set"
    init(folder, listen="127.0.0.1:0", metrics="127.0.0.1:0", processes=1, algorithm=Algorithm.ES256)
    whole = (folder / "eseal.toml").read_text()
    part = folder / "token.toml"
    part.write_text(whole[whole.index("[hsm]") : whole.index("[mandate]")])
    return part


def run(*arguments: object) -> str:
    """Run the command line; what it prints."""
    done = CliRunner().invoke(app, ["hsm", *map(str, arguments)], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_key_to_request(config: Path, tmp_path: Path, algorithm: Algorithm) -> None:
    """A key is made in the token and its request, signed there, is one that OpenSSL and cryptography accept."""
    label, out = f"next-{algorithm}", tmp_path / "seal.csr"
    run("generate-key", "--config", config, "--label", label, "--algorithm", algorithm)

    run("request-certificate", "--config", config, "--label", label, *SUBJECT, "--out", out)

    request = x509.load_pem_x509_csr(out.read_bytes())
    assert request.is_signature_valid
    kind = rsa.RSAPublicKey if algorithm in (Algorithm.PS256, Algorithm.RS256) else ec.EllipticCurvePublicKey
    assert isinstance(request.public_key(), kind)
    (identifier,) = request.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
    assert "NTRNL-08164880" == identifier.value
    assert request.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment
    subprocess.run(["openssl", "req", "-in", out, "-verify", "-noout"], check=True, capture_output=True)


def test_key_stays_inside(config: Path) -> None:
    """A key that eseal makes cannot be taken out of the token."""
    run("generate-key", "--config", config, "--label", "stays")

    listed = run("list", "--config", config)

    assert re.search(r"^stays +[0-9a-f]{16} +P-256 +yes +no", listed, re.MULTILINE)


def test_list_compares_keys_with_certificates(config: Path) -> None:
    """The configured key is listed with its certificate, and one that is configured but absent is named."""
    assert re.search(r"^seal-1 .*ES256, with its certificate", run("list", "--config", config), re.MULTILINE)

    other = config.with_name("other.toml")
    other.write_text(config.read_text().replace('label = "seal-1"', 'label = "seal-2"'))
    assert re.search(
        r"^seal-2 +in the configuration, but not in the token", run("list", "--config", other), re.MULTILINE
    )


def test_list_finds_another_key_under_the_label(config: Path) -> None:
    """A key that is not its certificate's is named, before any server starts."""
    run("generate-key", "--config", config, "--label", "impostor")
    other = config.with_name("impostor.toml")
    other.write_text(config.read_text().replace('label = "seal-1"', 'label = "impostor"'))

    assert "its certificate is another key's" in run("list", "--config", other)


def test_list_tokens_without_login(shared_token: SealToken) -> None:
    """Tokens and what they sign with are shown without a PIN."""
    settings = shared_token.having(pin_file="absent")

    (token,) = [token for token in list_tokens(settings) if token.label == shared_token.settings.token_label]

    assert tuple(Algorithm) == token.algorithms


def test_list_keys_needs_the_pin(shared_token: SealToken, tmp_path: Path) -> None:
    """Keys are private objects: a wrong PIN is said to be one, and counts as its one attempt."""
    wrong = tmp_path / "pin"
    wrong.write_text("0000000")

    with pytest.raises(SetupError, match="refused the PIN"):
        list_keys(shared_token.having(pin_file=wrong))
    with pytest.raises(SetupError, match="remembers it"):
        list_keys(shared_token.having(pin_file=wrong))


def test_bench_measures_each_number_of_sessions(config: Path) -> None:
    """The rate is shown for 1, 2 and 4 sessions, which is what the configuration has."""
    shown = run("bench", "--config", config, "--label", "seal-1", "--seconds", "0.1")

    assert ["1", "2", "4"] == re.findall(r"^ +(\d+) +[\d,]+ +\d+\.\d+ +\d+\.\d+$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["request-certificate", "--label", "nobody", *SUBJECT], "holds 0 and 0"),
        (["generate-key", "--label", "seal-1"], "holds a private key with the label 'seal-1' already"),
        (["bench", "--label", "nobody"], "no private key with the label 'nobody'"),
    ],
)
def test_refusals_say_what_is_there(config: Path, arguments: list[str], said: str) -> None:
    """What cannot be done is answered with what the token holds."""
    with pytest.raises(SetupError, match=re.escape(said)):
        CliRunner().invoke(app, ["hsm", arguments[0], "--config", str(config), *arguments[1:]], catch_exceptions=False)


def test_list_tells_namesakes_apart(config: Path) -> None:
    """Of two keys under the configured label the certified one is listed as such, whichever comes first, and no fault."""
    settings, _ = load_token(config)
    connection = Connection(settings, {})
    with connection.writing() as session:
        for number in ("0", "f"):
            for made in make_pair(session, "secp256r1", f"seal-1{number}"):
                made[Attribute.ID] = bytes.fromhex(number * 16)
                made[Attribute.LABEL] = "seal-1"
    try:
        listed = run("list", "--config", config)
    finally:
        with connection.writing() as session:
            for number in ("0", "f"):
                for one in list(session.get_objects({Attribute.ID: bytes.fromhex(number * 16)})):
                    one.destroy()
        connection.close()

    assert 2 == len(re.findall(r"^seal-1 .* no: the certificate is that of the other key", listed, re.MULTILINE))
    assert 1 == len(re.findall(r"^seal-1 .*ES256, with its certificate", listed, re.MULTILINE))
    assert "another key's" not in listed


def test_list_takes_a_relative_module(shared_token: SealToken) -> None:
    """A module is the file that is named, not a library of that name that the system has elsewhere."""
    module = shared_token.settings.module

    listed = subprocess.run(
        [sys.executable, "-m", "eseal", "hsm", "list", "--module", module.name],
        cwd=module.parent,
        env=os.environ | shared_token.settings.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == listed.returncode, listed.stderr
    assert "eseal tests" in " ".join(listed.stdout.split())


@pytest.mark.parametrize("kind", ["secp521r1", "secp256k1", "Ed25519", "RSA 1024"])
def test_no_request_for_a_key_that_cannot_seal(config: Path, kind: str) -> None:
    """A key of a kind that no algorithm of ours has is refused by its kind, before anybody pays for a certificate."""
    settings, _ = load_token(config)
    connection = Connection(settings, {})
    with connection.writing() as session:
        make_pair(session, kind, f"odd {kind}")
    connection.close()

    with pytest.raises(SetupError) as caught:
        request_certificate(settings, f"odd {kind}", LegalEntity("A", "A", "NTRNL-08164880", "NL"))
    assert "KEY_CANNOT_SEAL" == caught.value.reason
    assert "odd" in run("list", "--config", config)


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["bench", "--label", "seal-1"],
        ["generate-key", "--label", "any"],
        ["request-certificate", "--label", "seal-1", *SUBJECT],
    ],
    ids=lambda arguments: arguments[0],
)
def test_hsm_that_fails_at_the_login(config: Path, tmp_path: Path, shim: Shim, arguments: list[str]) -> None:
    """What the module fails with is said by its name, whichever command it is, and is no traceback."""
    settings, _ = load_token(config)
    failing = tmp_path / "failing.toml"
    failing.write_text(config.read_text().replace(str(settings.module), str(shim.path)))
    for relative in ("hsm", "seal"):
        (tmp_path / relative).symlink_to(config.parent / relative)
    shim.set(open_fail_with=0x06)

    with pytest.raises(SetupError, match="CKR_FUNCTION_FAILED"):
        CliRunner().invoke(app, ["hsm", arguments[0], "--config", str(failing), *arguments[1:]], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["request-certificate", "--label=seal-1", "--organization=", *SUBJECT[1:]], "the sealer's legal name"),
        (["request-certificate", "--label=seal-1", f"--organization={'x' * 65}", *SUBJECT[1:]], "at most 64"),
        (["generate-key", "--label="], "a key needs a label"),
    ],
)
def test_names_that_cannot_be(config: Path, arguments: list[str], said: str) -> None:
    """An empty name, and a common name that is longer than X.520 allows, are refused before the token is touched."""
    done = CliRunner().invoke(app, ["hsm", arguments[0], f"--config={config}", *arguments[1:]])

    assert 2 == done.exit_code
    assert said in " ".join(done.output.replace("│", " ").split())


def test_long_legal_name_with_a_short_common_name(config: Path) -> None:
    """A registered name may be longer than X.520 has it, if the sealer is known by a shorter one."""
    settings, _ = load_token(config)
    subject = LegalEntity("x" * 100, "ECIU", "NTRNL-08164880", "NL")

    assert request_certificate(settings, "seal-1", subject).is_signature_valid


def test_request_checks_the_identifier(config: Path) -> None:
    """An identifier that EN 319 412-1 does not know is refused before the token is touched."""
    done = CliRunner().invoke(
        app,
        ["hsm", "request-certificate", f"--config={config}", "--label=seal-1", *SUBJECT[::2],
         "--organization-identifier=08164880"],
    )  # fmt: skip

    assert done.exit_code == 2
    assert "EN 319 412-1" in " ".join(done.output.split())
