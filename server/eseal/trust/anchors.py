"""Trust anchors from PEM files: the certificates that a verifier believes because its owner put them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from eseal.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SUFFIXES = frozenset({".pem", ".crt", ".cer"})


def read_anchors(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """Read the certificates, DER, of PEM files with one or more each, and of folders with such files.

    Raise SetupError for a file that cannot be read or holds no certificate, and for a folder without any.
    """
    found = [der for path in paths for file in _files(path) for der in _certificates(file)]
    return tuple(dict.fromkeys(found))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    if not files:
        message = f"The folder {path} holds no trust anchor: put PEM files (.pem, .crt, .cer) there."
        raise SetupError("NO_TRUST_ANCHOR", message)
    yield from files


def _certificates(file: Path) -> Iterator[bytes]:
    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        message = f"The trust anchor {file} cannot be read: {error.strerror}."
        raise SetupError("TRUST_ANCHOR_UNREADABLE", message) from error
    except ValueError as error:
        message = f"The trust anchor {file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."
        raise SetupError("TRUST_ANCHOR_UNREADABLE", message) from error
    return (certificate.public_bytes(Encoding.DER) for certificate in certificates)
