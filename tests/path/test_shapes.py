"""Every shape that can be had: the Commission's SHACL shapes, Annex I and our verifier on what the server sealed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from eseal.credential.annex_i import annex_i
from eseal.credential.building import parse
from eseal.credential.checking import check
from eseal.credential.profile import named_profiles
from eseal.terms import Profile
from eseal.trust.anchors import read_anchors
from eseal.trust.path import TrustAnchors
from eseal.verification import VerifyInput, verify
from tests.credential.catalogue import catalogue
from tests.credential.oracle import judge
from tests.harness.vectors import vector
from tests.path.calls import payload, seal_request
from tests.path.catalogue import seal_catalogue

if TYPE_CHECKING:
    from tests.credential.catalogue import Shape
    from tests.harness.server import PracticeSet, RunningServer

SHAPES = {shape.name: shape for shape in catalogue()}
LIMIT = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[PracticeSet, dict[str, bytes]]:
    """Every shape, sealed once."""
    return seal_catalogue(tmp_path_factory.mktemp("catalogue") / "set")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_was_sealed_conforms(shape: Shape, sealed: tuple[PracticeSet, dict[str, bytes]]) -> None:
    """It names its profiles, conforms to each by our check and by the Commission's SHACL, and has all of Annex I."""
    document = sealed[1][shape.name]
    credential = parse(json.loads(document)["payload"].encode(), max_bytes=LIMIT)

    assert set(shape.profiles) == named_profiles(credential)
    assert [] == check(credential)
    assert () == annex_i(credential).missing
    assert (True, []) == judge(payload(document), tuple(sorted(profile.value for profile in shape.profiles)))


def test_what_was_sealed_verifies(sealed: tuple[PracticeSet, dict[str, bytes]]) -> None:
    """By our own verifier each seal is intact, its format right and every mandatory element of Annex I there."""
    practice, documents = sealed
    inputs = [VerifyInput(document, [], name) for name, document in documents.items()]
    reports = verify(inputs, anchors=TrustAnchors(read_anchors([practice.root])))

    for name, report in zip(documents, reports, strict=True):
        assert {"OK"} == {report.checks[check].status for check in ("format", "annex_i")}, name
        assert ["B-B"] == [seal.level for seal in report.seals], name


def test_sealed_sample_conforms(server: RunningServer) -> None:
    """The Commission's unsigned samples conform once sealed: the sealer added what they lacked."""
    with server.issuance("uniz") as uniz:
        for sample in sorted(vector("edc").glob("2023-*-unsigned*")):
            document = uniz.Seal(seal_request(sample.read_bytes())).sealed

            assert (True, []) == judge(payload(document), (Profile.MANDATE.value,)), sample.name
