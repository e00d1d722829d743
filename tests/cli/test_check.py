"""``eseal check`` on plain, uploadable and sealed files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from eseal import sealcore
from eseal.cli import app
from tests.harness.credentials import credential, credential_bytes
from tests.harness.soft_seal import SoftSealer
from tests.harness.vectors import vector

if TYPE_CHECKING:
    from pathlib import Path


def _run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, words)], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_the_same_credential_in_each_form(tmp_path: Path) -> None:
    """Plain, wrapped for upload, sealed as JSON and sealed compactly: the same answer."""
    content = credential_bytes()
    sealer = SoftSealer()
    (tmp_path / "plain.json").write_bytes(content)
    (tmp_path / "uploadable.json").write_text(json.dumps({"credential": credential(), "deliveryDetails": {}}))
    (tmp_path / "sealed.jsonld").write_bytes(sealer.seal(sealcore.canonicalize(content)))
    header = sealcore.base64url_encode(b'{"alg":"ES256"}')
    compact = sealcore.assemble_compact(content, header, sealer.sign(header, content, b64=True))
    (tmp_path / "compact.jws").write_bytes(compact)
    files = sorted(tmp_path.iterdir())

    code, output = _run("--json", *files)
    answers = [json.loads(line) for line in output.splitlines()]

    assert (0, [str(file) for file in files]) == (code, [answer["file"] for answer in answers])
    assert 1 == len({json.dumps({**answer, "file": ""}) for answer in answers})
    assert ["file", "conforms", "faults", "annex_i"] == list(answers[0])
    assert (True, []) == (answers[0]["conforms"], answers[0]["faults"])
    assert "Learning outcomes" in answers[0]["annex_i"]["missing"]
    assert ["missing", "optional_present", "optional_missing"] == list(answers[0]["annex_i"])


def test_faults_have_pointer_rule_and_message(tmp_path: Path) -> None:
    """Every fault is told with its place and rule, and the status is 1."""
    file = tmp_path / "credential.json"
    file.write_bytes(credential_bytes(displayParameter=None, validFrom=None))

    code, output = _run("--json", file)
    answer = json.loads(output)

    assert (1, False) == (code, answer["conforms"])
    assert {"/displayParameter", "/validFrom"} == {fault["pointer"] for fault in answer["faults"]}
    assert all({"pointer", "rule", "message"} == set(fault) for fault in answer["faults"])


def test_profile_asked_for_decides(tmp_path: Path) -> None:
    """Profiles may be asked for beyond those that the credential names."""
    file = tmp_path / "credential.json"
    file.write_bytes(credential_bytes())

    assert 0 == _run("--profile", "generic", "--profile", "mandate", file)[0]
    assert 1 == _run("--profile", "accredited", file)[0]
    assert 2 == _run("--profile", "unheard-of", file)[0]


@pytest.mark.parametrize("content", [b"", b"{", b"not JSON", b"[]", b'"text"', b"{}", b"\xff", b'{"payload":"x"}'])
def test_what_is_no_credential_has_that_fault(tmp_path: Path, content: bytes) -> None:
    """No bytes make the command fall over; what is no credential does not conform."""
    file = tmp_path / "file"
    file.write_bytes(content)

    code, output = _run("--json", file)

    assert (1, False) == (code, json.loads(output)["conforms"])
    assert [] != json.loads(output)["faults"]
    assert "every mandatory element is there" not in _run(file)[1]


def test_a_file_that_cannot_be_read_as_json_says_why(tmp_path: Path) -> None:
    """What an editor adds or what was cut off is told as such, and nothing is said of Annex I."""
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf" + credential_bytes())
    (tmp_path / "cut.json").write_bytes(credential_bytes()[:-1])

    answers = [json.loads(line) for line in _run("--json", *sorted(tmp_path.iterdir()))[1].splitlines()]

    assert [["json"], ["json"]] == [[fault["rule"] for fault in answer["faults"]] for answer in answers]
    assert "byte order mark" in answers[0]["faults"][0]["message"]
    assert [None, None] == [answer["annex_i"] for answer in answers]


def test_missing_file_is_misuse(tmp_path: Path) -> None:
    """A file that is not there is no verdict."""
    assert 2 == _run(tmp_path / "missing.json")[0]


def test_person_reads_faults_and_missing_elements(tmp_path: Path) -> None:
    """The report for people names places, rules and the elements of Annex I."""
    file = tmp_path / "credential.json"
    file.write_bytes(credential_bytes(displayParameter=None))
    _, output = _run(file)

    for words in ("1 fault", "/displayParameter", "Annex I: not there: Learning outcomes"):
        assert words in output


def test_optional_elements_are_named() -> None:
    """The Commission's sample has some of the five optional elements: people and programs read which."""
    sample = vector("edc/2023-Sample-MC-Annex1-signed.jsonld")
    elements = json.loads(_run("--json", sample)[1])["annex_i"]
    _, output = _run(sample)

    assert 5 == len(elements["optional_present"]) + len(elements["optional_missing"])
    assert "Grade achieved" in elements["optional_present"]
    for element in elements["optional_present"]:
        assert f"Annex I, optional: {element}" in output
    for element in elements["optional_missing"]:
        assert f"Annex I, optional, not there: {element}" in output


def test_the_commissions_samples() -> None:
    """The signed samples conform; the unsigned ones lack what only a sealer can add."""
    signed, unsigned = (
        vector("edc/2023-Sample-MC-Annex1-signed.jsonld"),
        vector("edc/2023-Sample-MC-Annex1-unsigned.jsonld"),
    )

    assert 0 == _run(signed)[0]
    code, output = _run("--json", unsigned)
    places = {fault["pointer"].split("/")[1] for fault in json.loads(output)["faults"]}
    assert (1, {"issued", "issuer"}) == (code, places)
