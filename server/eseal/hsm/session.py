"""One signing session: its handle, and the key handles that were looked up in it once."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from eseal.errors import SetupError
from eseal.hsm.algorithms import DIGEST_LENGTHS, token_input, token_key
from eseal.hsm.cryptoki import HSM_FAULTS, CryptokiError
from eseal.hsm.keys import find_key
from eseal.sealcore import TokenSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pkcs11

    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.cryptoki import Cryptoki
    from eseal.hsm.settings import QuirkSettings
    from eseal.sealcore import TokenKey
    from eseal.terms import Algorithm, SealKey


class Signed(NamedTuple):
    """What a session signed of a batch: a signature for each item up to the one that failed or came too late.

    ``took`` is the seconds that each signature took. ``rest`` is 0, or the seconds that the token is to be left alone,
    because it failed only for having too much to do.
    """

    signatures: list[bytes]
    took: list[float]
    failure: CryptokiError | None
    rest: float = 0.0


class SigningSession:
    """A session that signs. One thread at a time: a session holds one operation (PKCS#11 v2.40 section 5.11).

    ``native`` is the same session for the loop that takes turns.
    """

    def __init__(self, cryptoki: Cryptoki, session: pkcs11.Session, quirks: QuirkSettings) -> None:
        self._cryptoki = cryptoki
        self._session = session
        self._handle: int = session.handle
        self._start = cryptoki.starts
        self._keys: dict[str, tuple[Algorithm, TokenKey]] = {}
        self.native = TokenSession(cryptoki.signer)
        self.refusals: dict[str, SetupError] = {}
        self._quirks = quirks

    def adopt(self, keys: Mapping[SealKey, PublicFacts]) -> None:
        """Look up every key that is not found yet, once, and check it against its certificate.

        A key that is refused does not stop the others, and may be looked up again; where all are, the first SetupError is
        raised. PKCS11Error or CryptokiError where the module fails.
        """
        for key, facts in keys.items():
            if key.label in self._keys:
                continue
            try:
                handle = find_key(self._session, key, facts, self._trial(key, facts))
            except SetupError as refusal:
                self.refusals[key.label] = refusal
            else:
                found = self._found(handle, key, facts)
                self._keys[key.label] = key.algorithm, found
                self.native.add(key.label, found)
                self.refusals.pop(key.label, None)
        if not self._keys:
            raise next(iter(self.refusals.values()))

    def sign_many(self, label: str, data: Sequence[bytes], *, within: float) -> Signed:
        """Sign each of ``data``, which ``token_input`` made of a digest, until one fails or ``within`` seconds are over.

        At least one is tried. SetupError for a key that was refused when it was looked up.
        """
        if label not in self._keys:
            raise self.refusals[label]
        return self._sign(self._keys[label][1], data, within)

    def fault(self, failure: tuple[str, int]) -> tuple[CryptokiError, float]:
        """The error that a call and its return value stand for, and how long the token is to rest for it, in seconds."""
        error = CryptokiError.of(*failure)
        return error, self._quirks.busy_seconds if error.code in self._quirks.busy else 0.0

    def try_out(self) -> None:
        """Make a trial signature over random bytes, with any key. CryptokiError where the module fails."""
        algorithm, key = next(iter(self._keys.values()))
        self._sign_trial(algorithm, key, os.urandom(DIGEST_LENGTHS[algorithm]))

    def close(self) -> None:
        """Close the session, whatever state it is in: one that is lost says so again, and that is no news.

        Where the module was started anew since, it is gone, and its number may be another session's by now.
        """
        if self._start != self._cryptoki.starts:
            return
        with contextlib.suppress(*HSM_FAULTS):
            self._cryptoki.close_session(self._handle)

    def _found(self, handle: int, key: SealKey, facts: PublicFacts) -> TokenKey:
        return token_key(
            key.algorithm,
            session=self._handle,
            handle=handle,
            signature_length=facts.signature_length,
            buffer_size=self._quirks.signature_buffer,
        )

    def _sign(self, key: TokenKey, data: Sequence[bytes], within: float) -> Signed:
        signatures, took, failure = self._cryptoki.signer.sign_many(key, data, within)
        return Signed(signatures, took, None) if failure is None else Signed(signatures, took, *self.fault(failure))

    def _sign_trial(self, algorithm: Algorithm, key: TokenKey, digest: bytes) -> bytes:
        signed = self._sign(key, [token_input(algorithm, digest)], 0.0)
        if signed.failure is not None:
            raise signed.failure
        return signed.signatures[0]

    def _trial(self, key: SealKey, facts: PublicFacts) -> Callable[[int, bytes], bytes]:
        def sign(handle: int, digest: bytes) -> bytes:
            return self._sign_trial(key.algorithm, self._found(handle, key, facts), digest)

        return sign
