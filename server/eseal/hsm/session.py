"""One signing session: its handle, the key handles that were looked up in it once, and a buffer for signatures."""

from __future__ import annotations

import contextlib
import ctypes
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eseal.errors import SetupError
from eseal.hsm.algorithms import DIGEST_LENGTHS, mechanism_of, token_input
from eseal.hsm.cryptoki import HSM_FAULTS, CryptokiError, Mechanism
from eseal.hsm.keys import find_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pkcs11

    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.cryptoki import Cryptoki
    from eseal.terms import Algorithm, SealKey


@dataclass(slots=True)
class _KeyInSession:
    """A key as this session knows it. The mechanism is this session's own: modules may write into it."""

    handle: int
    signature_length: int
    mechanism: Mechanism
    algorithm: Algorithm
    reference: object = field(init=False)

    def __post_init__(self) -> None:
        self.reference = ctypes.byref(self.mechanism)


class SigningSession:
    """A session that signs. One thread at a time: a session holds one operation (PKCS#11 v2.40 section 5.11)."""

    def __init__(self, cryptoki: Cryptoki, session: pkcs11.Session, buffer_size: int) -> None:
        self._cryptoki = cryptoki
        self._session = session
        self._handle: int = session.handle
        self._keys: dict[str, _KeyInSession] = {}
        self.refusals: dict[str, SetupError] = {}
        self._buffer = ctypes.create_string_buffer(buffer_size)
        self._buffer_size = buffer_size
        self._length = ctypes.c_ulong()
        self._length_reference = ctypes.byref(self._length)

    def adopt(self, keys: Mapping[SealKey, PublicFacts]) -> None:
        """Look up every key, once, and check it against its certificate.

        A key that is refused does not stop the others; where all are, the first SetupError is raised. PKCS11Error or
        CryptokiError where the module fails.
        """
        for key, facts in keys.items():
            try:
                handle = find_key(self._session, key, facts, self._trial(key, facts))
            except SetupError as refusal:
                self.refusals[key.label] = refusal
            else:
                self._keys[key.label] = _in_session(key, facts, handle)
        if not self._keys:
            raise next(iter(self.refusals.values()))

    def sign(self, label: str, data: bytes) -> bytes:
        """Sign ``data``, which ``token_input`` made of a digest.

        SetupError for a key that was refused in this session; CryptokiError where the module fails.
        """
        key = self._keys.get(label)
        if key is None:
            raise self.refusals[label]
        return self._sign(key, data)

    def try_out(self) -> None:
        """Make a trial signature over random bytes, with any key. CryptokiError where the module fails."""
        key = next(iter(self._keys.values()))
        self._sign(key, token_input(key.algorithm, os.urandom(DIGEST_LENGTHS[key.algorithm])))

    def close(self) -> None:
        """Close the session, whatever state it is in: one that is lost says so again, and that is no news."""
        with contextlib.suppress(*HSM_FAULTS):
            self._cryptoki.close_session(self._handle)

    def _sign(self, key: _KeyInSession, data: bytes) -> bytes:
        value = self._cryptoki.sign_init(self._handle, key.reference, key.handle)
        if value:
            raise CryptokiError.of("C_SignInit", value)
        self._length.value = self._buffer_size
        value = self._cryptoki.sign(self._handle, data, len(data), self._buffer, self._length_reference)
        if value:
            raise CryptokiError.of("C_Sign", value)
        if self._length.value != key.signature_length:
            raise CryptokiError("C_Sign", "CKR_SIGNATURE_LEN_RANGE")
        return ctypes.string_at(self._buffer, key.signature_length)

    def _trial(self, key: SealKey, facts: PublicFacts) -> Callable[[int, bytes], bytes]:
        def sign(handle: int, digest: bytes) -> bytes:
            return self._sign(_in_session(key, facts, handle), token_input(key.algorithm, digest))

        return sign


def _in_session(key: SealKey, facts: PublicFacts, handle: int) -> _KeyInSession:
    return _KeyInSession(handle, facts.signature_length, mechanism_of(key.algorithm), key.algorithm)
