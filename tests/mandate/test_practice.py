"""The practice register of ``eseal dev init``."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eseal.credential.facts import award_facts
from eseal.errors import SetupError
from eseal.mandate.policy import Policy
from eseal.mandate.practice import write_practice_register
from eseal.sealcore import Document
from eseal.terms import Caller, LegalEntity

from .house import Ledger

if TYPE_CHECKING:
    from eseal.mandate.register import Register

SEALER = LegalEntity("Stichting European Consortium of Innovative Universities", "ECIU", "NTRNL-08164880", "NL")
CALLERS = {member: f"spiffe://eciu.example/{member}" for member in ("dcu", "utwente", "uniz")}
VECTORS = Path(os.environ.get("ESEAL_VECTORS", Path(__file__).parents[2] / "../shared/vectors")) / "edc"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Register:
    """The practice register of today."""
    folder = tmp_path_factory.mktemp("practice")
    return write_practice_register(folder, sealer=SEALER, callers=CALLERS, today=NOW.date())


def test_every_member_has_a_mandate_in_force(register: Register) -> None:
    """Three ECIU universities and the bodies of the Commission's samples can have credentials sealed."""
    assert {"dcu", "utwente", "tuni", "uniz", "edc-support"} == set(register.members)
    assert set(register.members) == {mandate.awarding_body for mandate in register.mandates.values()}
    assert {"in force"} == {register.state_of(mandate, NOW.date()) for mandate in register.mandates.values()}


def test_agreements_are_small_pdfs(register: Register) -> None:
    """Each mandate has a one-page PDF that a reader opens, small enough to be embedded in every credential."""
    for agreement in register.agreements.values():
        assert agreement.content.startswith(b"%PDF-")
        assert b"/Count 1" in agreement.content
        assert agreement.content.rstrip().endswith(b"%%EOF")
        assert len(agreement.content) < 16 * 1024


@pytest.mark.parametrize("name", ["MC-Annex1", "CertOfPart"])
def test_the_commissions_samples_are_covered(register: Register, name: str) -> None:
    """The Commission's unsigned samples can be sealed under a mandate of the body that they name."""
    path = VECTORS / f"2023-Sample-{name}-unsigned.jsonld"
    if not path.exists():
        pytest.skip(f"no vectors at {VECTORS}: set ESEAL_VECTORS")
    facts = award_facts(Document.parse(path.read_bytes()))
    decision = Policy(register, SEALER, usage=Ledger()).decide(Caller(CALLERS["uniz"]), facts, at=NOW)

    assert decision.grant, decision.refusals
    assert not decision.grant.self_issue


def test_the_same_day_makes_the_same_mandates(tmp_path: Path) -> None:
    """Two practice registers of one day differ in nothing that a person wrote."""
    for place in ("a", "b"):
        write_practice_register(tmp_path / place, sealer=SEALER, callers=CALLERS, today=date(2026, 2, 28))

    assert (tmp_path / "a/members/dcu.toml").read_bytes() == (tmp_path / "b/members/dcu.toml").read_bytes()


def test_a_caller_of_nobody(tmp_path: Path) -> None:
    """A caller for a member that the practice register does not have is an error, not silence."""
    with pytest.raises(SetupError, match="no member nowhere"):
        write_practice_register(tmp_path, sealer=SEALER, callers={"nowhere": "urn:x"}, today=NOW.date())
