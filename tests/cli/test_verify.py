"""``eseal verify`` as a script and as a person use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from eseal import sealcore
from eseal.cli import app
from tests.harness.credentials import credential_bytes
from tests.harness.soft_seal import SoftSealer

if TYPE_CHECKING:
    from pathlib import Path

SEALER = SoftSealer(options={"no_revocation": True})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a good seal, a damaged one, an open one, and anchors."""
    payload = sealcore.canonicalize(credential_bytes())
    good = SEALER.seal(payload)
    (tmp_path / "good.jsonld").write_bytes(good)
    (tmp_path / "damaged.jsonld").write_bytes(good.replace(b"Dublin", b"Dublim"))
    (tmp_path / "open.jsonld").write_bytes(SoftSealer(ca=SEALER.ca).seal(payload))
    (tmp_path / "ca.pem").write_bytes(SEALER.ca.pem)
    (tmp_path / "key.pem").write_bytes(SEALER.ca.key_pem)
    return tmp_path


def _run(folder: Path, *words: str) -> tuple[int, str]:
    places = [str(folder / word) if "." in word and not word.startswith(("-", "20")) else word for word in words]
    result = CliRunner().invoke(app, ["verify", *places], env={"COLUMNS": "200"})
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("status", "verdicts", "words"),
    [
        (0, ["VERIFIED"], ["--anchor", "ca.pem", "good.jsonld"]),
        (0, ["VERIFIED", "PARTIALLY_VERIFIED"], ["--anchor", "ca.pem", "good.jsonld", "open.jsonld"]),
        (0, ["PARTIALLY_VERIFIED"], ["good.jsonld"]),
        (1, ["VERIFIED", "FAILED"], ["--anchor", "ca.pem", "good.jsonld", "damaged.jsonld"]),
        (1, ["FAILED"], ["ca.pem"]),
        (0, ["PARTIALLY_VERIFIED"], ["--anchor", "ca.pem", "--at", "2099-01-01T00:00:00Z", "good.jsonld"]),
    ],
)
def test_json_and_exit_status(folder: Path, status: int, verdicts: list[str], words: list[str]) -> None:
    """One object a file and line, in order; the status is 1 as soon as one FAILED."""
    code, output = _run(folder, "--json", *words)
    answers = [json.loads(line) for line in output.splitlines()]

    assert (status, verdicts) == (code, [answer["verdict"] for answer in answers])
    assert all(answer["file"].startswith(str(folder)) for answer in answers)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["missing.jsonld"],
        ["--anchor", "missing.pem", "good.jsonld"],
        ["--anchor", "key.pem", "good.jsonld"],
        ["--at", "tomorrow", "good.jsonld"],
        ["--at", "2026-01-01T00:00:00", "good.jsonld"],
        ["--content", "missing.txt", "good.jsonld"],
    ],
)
def test_misuse_is_two(folder: Path, words: list[str]) -> None:
    """Missing files, anchors that are none and times without an offset are misuse, not a verdict."""
    assert 2 == _run(folder, *words)[0]


def test_person_reads_what_matters(folder: Path) -> None:
    """The report for people says who sealed, what was found and why, and sums up several files."""
    code, output = _run(folder, "--anchor", "ca.pem", "good.jsonld", "damaged.jsonld")

    assert 1 == code
    for words in (
        "Verified",
        "Verification failed",
        "Stichting European Consortium of Innovative Universities (NTRNL-08164880)",
        "TOTAL_PASSED",
        "JAdES B-B",
        "Sealed under mandate",
        "The signature does not verify",
        "2 files: 1 verified, 1 verification failed",
    ):
        assert words in output


def test_detached_content_is_given_beside(folder: Path) -> None:
    """A seal without its content is open; with it, it is whole."""
    document = json.loads((folder / "good.jsonld").read_text())
    (folder / "content.json").write_text(document.pop("payload"))
    (folder / "detached.jsonld").write_text(json.dumps(document))

    with_content = ["--json", "--anchor", "ca.pem", "--content", "content.json", "detached.jsonld"]
    [alone, whole] = [_run(folder, "--json", "--anchor", "ca.pem", "detached.jsonld"), _run(folder, *with_content)]

    assert "SIGNED_DATA_NOT_FOUND" == json.loads(alone[1])["seals"][0]["sub_indication"]
    assert (0, "VERIFIED") == (whole[0], json.loads(whole[1])["verdict"])
