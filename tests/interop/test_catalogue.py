"""The EU's own validator on every shape of credential that can be had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.interop.oracle import dss
from tests.path.catalogue import seal_catalogue

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


def test_every_shape_passes_dss(tmp_path: Path) -> None:
    """TOTAL_PASSED, at JAdES-BASELINE-B and without a warning, whatever is in the credential."""
    practice, documents = seal_catalogue(tmp_path / "set")
    files = []
    for name, document in documents.items():
        files.append(tmp_path / f"{re.sub('[^a-z]+', '-', name.lower())}.jsonld")
        files[-1].write_bytes(document)
    found = dss(files, anchors=[practice.folder / "pki/issuing-ca.pem"])

    for name, answer in zip(documents, found, strict=True):
        [seal] = answer["signatures"]
        assert (True, True, True) == (seal["intact"], seal["valid"], seal["structure_valid"]), name
        assert ("JAdES-BASELINE-B", []) == (seal["format"], seal["warnings"]), name
        assert ("TOTAL_PASSED", None) == (seal["indication"], seal["sub_indication"]), name
