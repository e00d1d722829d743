"""A house on a practice set, in this process: real SoftHSM, real SQLite, real register."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal.assembly import House
from eseal.config import load
from eseal.issuance.stages import IssueRequest
from eseal.rpc.translate import domain
from eseal_client import read_micro_credential
from tests.harness.server import ROOT, practice_set
from tests.path.calls import ADA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An opened house."""
    with House(load(practice_set(tmp_path_factory.mktemp("house") / "set").config)) as opened:
        yield opened


@pytest.fixture(scope="session")
def request_for() -> Callable[..., IssueRequest]:
    """Make an IssueRequest of the ECIU example for Ada."""
    course = domain(read_micro_credential(ROOT / "clients/examples/introduction-to-artificial-intelligence.json"))

    def make(request_id: str) -> IssueRequest:
        return IssueRequest(request_id=request_id, micro_credential=course, learner=domain(ADA))

    return make
