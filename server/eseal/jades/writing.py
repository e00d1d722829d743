"""Writing what was sealed: general JWS JSON, one signature a document, the payload as the JSON string it was signed as.

The Commission's viewer takes no other form: ``payload`` must come first, and its text is the credential itself
(``b64`` false).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal import sealcore

if TYPE_CHECKING:
    from collections.abc import Sequence


def seal_many(
    payloads: Sequence[bytes],
    protected: Sequence[str],
    signatures: Sequence[bytes],
    etsi_u: Sequence[Sequence[str]] | None = None,
) -> list[bytes]:
    """Assemble sealed documents, each from its payload (UTF-8), protected header, raw signature and etsiU elements.

    ``etsi_u`` holds base64url texts; a document without any has no unprotected header at all (clause 5.3.1, minItems).
    """
    return sealcore.assemble_general_many(payloads, protected, signatures, etsi_u, b64=False)
