"""The PIN: one attempt, and never a retry that could lock the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eseal.errors import SetupError
from eseal.hsm import Pkcs11KeyRoom, generate_key, practice_token
from eseal.terms import Algorithm, SealKey
from eseal.trust import practice

if TYPE_CHECKING:
    from pathlib import Path


def test_wrong_pin_is_tried_once(tmp_path: Path) -> None:
    """A wrong PIN is refused after one attempt, and the message does not hold it; the right one still works."""
    settings = practice_token(tmp_path / "hsm", label="pin", pin="1357")
    generate_key(settings, label="k", algorithm=Algorithm.ES256)
    right = settings.pin_file.read_text()
    settings.pin_file.write_text("86420")
    ca = practice.issuing_ca(practice.root_ca())
    key = SealKey("k", Algorithm.ES256, practice.seal_certificate(ca, ca.certificate.public_key()).seal_chain)

    with pytest.raises(SetupError) as caught:
        Pkcs11KeyRoom.open(settings, [key])
    settings.pin_file.write_text(right)

    assert "PIN" in caught.value.message
    assert "86420" not in caught.value.message
    assert generate_key(settings, label="k2", algorithm=Algorithm.ES256)
