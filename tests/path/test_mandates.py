"""The register and the policy on a running server: quotas, suspension, withdrawal, and what changes in mid-stream."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from eseal.cli.mandate import app
from eseal_client.wire import issuance_pb2
from tests.harness.server import PracticeSet, practice_set, running_server
from tests.path.calls import issue_request, payload, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from eseal_client import MicroCredential

MANDATE = "mandates/dcu-practice.toml"


@pytest.fixture
def practice(tmp_path: Path) -> PracticeSet:
    """A practice set whose server looks at the register ten times a second."""
    practice = practice_set(tmp_path / "set")
    text = practice.config.read_text()
    practice.config.write_text(re.sub(r"(\[mandate\]\n)", r"\1reload_seconds = 0.1\n", text))
    return practice


def add(practice: PracticeSet, name: str, text: str) -> Path:
    """Add lines to a file of the register, in one step."""
    path = practice.folder / "register" / name
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f".{path.name}")
    new.write_text((path.read_text() if path.exists() else "") + text)
    return new.replace(path)


def explained(practice: PracticeSet, credential: bytes, *options: str) -> dict[str, Any]:
    """What ``eseal mandate explain --json`` says of a credential."""
    file = practice.folder / "unsealed.json"
    file.write_bytes(credential)
    command = ["explain", "--config", practice.config, "--caller", practice.caller("dcu"), "--json", *options, file]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.stdout, result.exception
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_explain_counts_what_was_sealed(practice: PracticeSet, course: MicroCredential) -> None:
    """At a quota's limit Issue, ExplainMandate and the command line refuse by the same rule, with the same use of it."""
    add(practice, MANDATE, "[scope.quota]\ndaily = 2\n")
    with running_server(practice) as server, server.issuance() as dcu:
        credentials = [payload(dcu.Issue(issue_request(course)).sealed) for _ in range(2)]
        credential = json.dumps(credentials[0]).encode()
        error = refusal(lambda: dcu.Issue(issue_request(course)))
        answer = dcu.ExplainMandate(issuance_pb2.ExplainMandateRequest(credential=credential))
        told = explained(practice, credential)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()

    assert ["quota-daily"] == [one.rule for one in error.refusals] == [one.rule for one in answer.refusals]
    assert ["quota-daily"] == [one["rule"] for one in told["refusals"]]
    assert "2 of 2 seal(s) today" == told["facts"]["use of dcu-practice"]
    assert told["facts"] == {fact.name: fact.value for fact in answer.facts}
    assert "from-ledger" == told["quotas"]
    assert explained(practice, credential, "--on", tomorrow.isoformat())["granted"]
