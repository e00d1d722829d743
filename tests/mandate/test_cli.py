"""``eseal mandate``: check, list, new, explain."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from eseal.cli.mandate import app
from eseal.errors import SetupError
from eseal.mandate.files import Mandate
from eseal.mandate.problems import InvalidRegister
from eseal.mandate.register import Register
from eseal.mandate.scope import Quota, Scope
from eseal.trust import practice

from .conftest import CALLERS
from .house import SHORT_PROGRAMME
from .test_practice import VECTORS

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result
    from pydantic import BaseModel

NEXT = ["--from", "2027-01-01", "--until", "2027-12-31"]


def run(*arguments: object) -> Result:
    """Run ``eseal mandate`` and let errors of the house through, as the command line's main does."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(one) for one in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def new(register: Path, mandate_id: str, *arguments: str) -> Result:
    """Run ``eseal mandate new`` for dcu with an agreement that exists."""
    agreement = register.parent / "signed.pdf"
    agreement.write_bytes((register / "agreements/tuni-practice.pdf").read_bytes())
    return run(
        "new", mandate_id, "--register", register, "--awarding-body", "dcu", "--agreement", agreement, *arguments
    )


def test_check(register: Path) -> None:
    """A right register is said to be right, with its digest."""
    result = run("check", "--register", register)

    assert 0 == result.exit_code
    assert Register.load(register).sha256.hex() in result.output


def test_check_tells_every_problem(register: Path) -> None:
    """A wrong one is told by file, line and rule; the exit status says no."""
    path = register / "members/dcu.toml"
    path.write_text(path.read_text().replace("IRL", "XXX"))
    result = run("check", "--register", register, "--json")

    assert 1 == result.exit_code
    told = json.loads(result.output)
    assert not told["valid"]
    assert {("members/dcu.toml", "country-known")} == {(one["file"], one["rule"]) for one in told["problems"]}


def test_list(register: Path) -> None:
    """Every mandate is listed with its state on the day asked for."""
    result = run("list", "--register", register, "--on", "2028-01-01", "--json")

    assert {("dcu-practice", "expired")} <= {(one["id"], one["state"]) for one in json.loads(result.output)}
    assert "dcu-practice" in run("list", "--register", register).output


def test_new(register: Path) -> None:
    """A new mandate is written with its agreement and its digest, and loads."""
    run("withdraw", "dcu-practice", "--register", register, "--on", "2027-01-01", "--reason", "replaced")
    scope = ["--eqf", "5-7", "--ects-maximum", "7.5", "--isced-f", "06", "--language", "en", "--daily-quota", "10"]
    result = new(register, "dcu-2027", *NEXT, "--signed-on", "2026-12-01", *scope)
    mandate = Register.load(register).mandates["dcu-2027"]

    assert 0 == result.exit_code
    assert "NTRNL-08164880" == mandate.sealer
    assert frozenset({"06"}) == mandate.scope.isced_f
    assert 10 == mandate.scope.quota.daily
    assert (register / "agreements/dcu-2027.pdf").exists()


def _fields(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_new_can_say_all_that_a_mandate_can(register: Path) -> None:
    """Every key of a mandate's file, its scope and its quota has an option, and comes out as it was given."""
    run("withdraw", "dcu-practice", "--register", register, "--on", "2027-01-01", "--reason", "replaced")
    new(
        register,
        *("dcu-2027", *NEXT, "--signed-on", "2026-12-01", "--sealer", "NTRNL-08164880", "--dual-control"),
        *(
            "--title",
            "The agreement",
            "--statement",
            "en=DCU lets ECIU seal.",
            "--statement",
            "nl=DCU laat ECIU zegelen.",
        ),
        *("--profile", "generic", "--profile", "accredited", "--opportunity-type", SHORT_PROGRAMME, "--eqf", "6"),
        *("--ects-maximum", "7.5", "--isced-f", "06", "--isced-f", "0714", "--language", "en", "--language", "nl"),
        *("--country", "IRL", "--joint-awards", "--joint-award-partner", "tuni", "--joint-award-partner", "uniz"),
        *("--outside-bodies", "--accreditation-required", "--daily-quota", "10", "--total-quota", "100"),
    )
    written = tomllib.loads((register / "mandates/dcu-2027.toml").read_text())
    scope = written["scope"]

    assert _fields(Mandate) == set(written)
    assert _fields(Scope) == set(scope)
    assert _fields(Quota) == set(scope["quota"])
    assert {"en": "DCU lets ECIU seal.", "nl": "DCU laat ECIU zegelen."} == written["statements"]
    assert (["tuni", "uniz"], True) == (scope["joint_award_partners"], scope["outside_bodies"])
    assert "The agreement" == written["agreement"]["title"]


@pytest.mark.parametrize("statements", [["English"], ["en=one", "en=two"]])
def test_new_with_statements_that_are_none(register: Path, statements: list[str]) -> None:
    """A statement names its language, and each language has one."""
    options = [word for one in statements for word in ("--statement", one)]

    assert 2 == new(register, "dcu-2027", *NEXT, *options).exit_code


def test_new_in_an_unknown_language(register: Path) -> None:
    """A statement's language is an ISO 639-1 code."""
    with pytest.raises(SetupError, match="xx"):
        new(register, "dcu-2027", *NEXT, "--statement", "xx=what")


def test_new_on_an_agreement_of_the_register(register: Path) -> None:
    """Several mandates may rest on one agreement: one that the register has is named, and not copied."""
    agreement = register / "agreements/dcu-practice.pdf"
    before = set((register / "agreements").iterdir())
    options = ["--register", register, "--awarding-body", "dcu", "--agreement", agreement]
    run("new", "dcu-2027", *options, *NEXT)

    assert before == set((register / "agreements").iterdir())
    assert "dcu-practice.pdf" == _agreement_of(register, "dcu-2027")


def _agreement_of(register: Path, mandate_id: str) -> str | None:
    agreement = Register.load(register).mandates[mandate_id].agreement
    return agreement.file if agreement else None


def test_new_without_an_agreement(register: Path) -> None:
    """A draft may be written before its agreement; a signed mandate may not."""
    options = ["--register", register, "--awarding-body", "dcu", *NEXT]
    run("new", "dcu-2027", *options)
    with pytest.raises(SetupError, match="names its agreement document"):
        run("new", "dcu-2028", *options, "--signed-on", "2026-12-01")

    assert _agreement_of(register, "dcu-2027") is None


def test_new_draft(register: Path) -> None:
    """Without a day of signing it is a draft, which may lie beside the present mandate."""
    assert "a draft" in new(register, "dcu-2027", *NEXT).output


def test_new_that_would_be_wrong(register: Path) -> None:
    """A mandate that overlaps with another is refused, and nothing of it stays."""
    before = Register.load(register).sha256
    with pytest.raises(InvalidRegister, match="mandate-overlap"):
        new(register, "dcu-b", "--from", "2026-07-01", "--until", "2026-12-31", "--signed-on", "2026-06-01")

    assert before == Register.load(register).sha256


def test_new_overwrites_nothing(register: Path) -> None:
    """A mandate's file is never written over."""
    with pytest.raises(SetupError, match="is there already"):
        new(register, "dcu-practice", *NEXT)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "soon", "--until", "2027-12-31"],
        [*NEXT, "--eqf", "low"],
        [*NEXT, "--ects-maximum", "x"],
        [*NEXT, "--eqf", ""],
        [*NEXT, "--ects-maximum", ""],
    ],
)
def test_misuse(register: Path, arguments: list[str]) -> None:
    """What cannot be read as a day, a range or a number is misuse."""
    assert 2 == new(register, "dcu-2027", *arguments).exit_code


def test_values_out_of_range(register: Path) -> None:
    """Values that no mandate may have are told by their key."""
    with pytest.raises(SetupError, match=r"scope\.eqf"):
        new(register, "dcu-2027", *NEXT, "--eqf", "5-9")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--isced-f", "0777", "'0777' is not a field of ISCED-F 2013"),
        ("--opportunity-type", f"{SHORT_PROGRAMME}9", "is not a type of learning opportunity"),
    ],
)
def test_new_of_what_does_not_exist(register: Path, option: str, value: str, told: str) -> None:
    """A field or a type that no vocabulary has would cover nothing: it is refused, with the nearest, and none is written."""
    with pytest.raises(SetupError, match=told) as caught:
        new(register, "dcu-2027", *NEXT, option, value)

    key = option.strip("-").replace("-", "_").replace("type", "types")
    assert f"  scope.{key}[1]: " in caught.value.message
    assert "Nearest known: " in caught.value.message
    assert not (register / "mandates/dcu-2027.toml").exists()


def test_new_that_ends_before_it_begins(register: Path) -> None:
    """The fault is told at the key where it stands, as ``check`` tells it."""
    with pytest.raises(SetupError, match=r"\n  valid_until: ends on 2026-12-31"):
        new(register, "dcu-2027", "--from", "2027-01-01", "--until", "2026-12-31")


@pytest.fixture
def config(register: Path) -> Path:
    """A configuration around the register, with a practice seal certificate."""
    root = practice.root_ca()
    issuing = practice.issuing_ca(root)
    seal = practice.seal_certificate(issuing, ec.generate_private_key(ec.SECP256R1()).public_key())
    (register.parent / "chain.pem").write_bytes(seal.chain_pem)
    path = register.parent / "eseal.toml"
    path.write_text(
        '[server.plaintext]\ncaller = "urn:x"\n'
        '[hsm]\nmodule = "none"\ntoken_label = "t"\npin_file = "pin"\n'
        '[[keys]]\nlabel = "k"\nalgorithm = "ES256"\ncertificate_chain = "chain.pem"\n'
        '[mandate]\nregister = "register"\n'
    )
    return path


def explain(config: Path, *arguments: str) -> Result:
    """Run ``eseal mandate explain`` on the Commission's micro-credential sample."""
    sample = VECTORS / "2023-Sample-MC-Annex1-unsigned.jsonld"
    if not sample.exists():
        pytest.skip(f"no vectors at {VECTORS}: set ESEAL_VECTORS")
    return run("explain", "--config", config, *arguments, sample)


def test_explain_a_grant(config: Path) -> None:
    """A grant names its mandates, and the exit status says yes."""
    result = explain(config, "--caller", CALLERS["uniz"], "--on", "2026-06-15", "--json")

    told = json.loads(result.stdout)
    assert (True, ["uniz-practice"], []) == (told["granted"], told["mandates"], told["refusals"])
    assert 0 == result.exit_code


def test_explain_a_refusal(config: Path) -> None:
    """A refusal names every rule and its message, and the exit status says no."""
    result = explain(config, "--caller", CALLERS["dcu"], "--on", "2028-01-01", "--json")

    told = json.loads(result.stdout)
    rules = ["caller-acts-for-awarding-body", "mandate-in-force", "mandate-in-force-on-award-date"]
    assert rules == [one["rule"] for one in told["refusals"]]
    assert all(one["message"] for one in told["refusals"])
    assert 1 == result.exit_code


def test_explain_tells_that_quotas_were_assumed(config: Path, register: Path) -> None:
    """Where there is no ledger to read, quotas count as unused, and the answer says so; no ledger is made."""
    mandate = register / "mandates/uniz-practice.toml"
    mandate.write_text(mandate.read_text() + "[scope.quota]\ndaily = 5\n")
    result = explain(config, "--caller", CALLERS["uniz"], "--on", "2026-06-15", "--json")
    told = json.loads(result.stdout)

    assert (True, "assumed-unused") == (told["granted"], told["quotas"])
    assert "counted as unused, as no ledger was asked; 5 seal(s) today" == told["facts"]["use of uniz-practice"]
    assert "There is no ledger at" in result.stderr
    assert not (config.parent / "ledger.db").exists()


def test_explain_in_words(config: Path) -> None:
    """Without --json a person reads the answer and the facts it stands on."""
    output = explain(config, "--caller", CALLERS["dcu"]).output

    assert "caller-acts-for-awarding-body" in output
    assert "uniz by vat 654321 (IRL)" in output
