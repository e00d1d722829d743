"""One signing session: its handle, and the key handles that were looked up in it once."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from eseal.errors import SetupError
from eseal.hsm.algorithms import DIGEST_LENGTHS, mechanism_of, token_input
from eseal.hsm.cryptoki import HSM_FAULTS, CryptokiError
from eseal.hsm.keys import find_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pkcs11

    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.cryptoki import Cryptoki
    from eseal.hsm.settings import QuirkSettings
    from eseal.terms import Algorithm, SealKey


@dataclass(frozen=True, slots=True)
class _KeyInSession:
    """A key as it was found in one PKCS#11 session."""

    handle: int
    signature_length: int
    algorithm: Algorithm
    mechanism: int
    pss: tuple[int, int, int] | None

    @classmethod
    def found(cls, handle: int, algorithm: Algorithm, facts: PublicFacts) -> Self:
        """Note the key that was found as ``handle``, and how it signs."""
        return cls(handle, facts.signature_length, algorithm, *mechanism_of(algorithm))


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
    """A session that signs. One thread at a time: a session holds one operation (PKCS#11 v2.40 section 5.11)."""

    def __init__(self, cryptoki: Cryptoki, session: pkcs11.Session, quirks: QuirkSettings) -> None:
        self._cryptoki = cryptoki
        self._session = session
        self._handle: int = session.handle
        self._start = cryptoki.starts
        self._keys: dict[str, _KeyInSession] = {}
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
                self._keys[key.label] = _KeyInSession.found(handle, key.algorithm, facts)
                self.refusals.pop(key.label, None)
        if not self._keys:
            raise next(iter(self.refusals.values()))

    def sign_many(self, label: str, data: Sequence[bytes], *, within: float) -> Signed:
        """Sign each of ``data``, which ``token_input`` made of a digest, until one fails or ``within`` seconds are over.

        At least one is tried. SetupError for a key that was refused when it was looked up.
        """
        key = self._keys.get(label)
        if key is None:
            raise self.refusals[label]
        return self._sign(key, data, within)

    def try_out(self) -> None:
        """Make a trial signature over random bytes, with any key. CryptokiError where the module fails."""
        key = next(iter(self._keys.values()))
        self._sign_trial(key, os.urandom(DIGEST_LENGTHS[key.algorithm]))

    def close(self) -> None:
        """Close the session, whatever state it is in: one that is lost says so again, and that is no news.

        Where the module was started anew since, it is gone, and its number may be another session's by now.
        """
        if self._start != self._cryptoki.starts:
            return
        with contextlib.suppress(*HSM_FAULTS):
            self._cryptoki.close_session(self._handle)

    def _sign(self, key: _KeyInSession, data: Sequence[bytes], within: float) -> Signed:
        signatures, took, failure = self._cryptoki.signer.sign_many(
            data,
            session=self._handle,
            key=key.handle,
            mechanism=key.mechanism,
            pss=key.pss,
            signature_length=key.signature_length,
            buffer_size=self._quirks.signature_buffer,
            within=within,
        )
        if failure is None:
            return Signed(signatures, took, None)
        error = CryptokiError.of(*failure)
        return Signed(
            signatures, took, error, rest=self._quirks.busy_seconds if error.code in self._quirks.busy else 0.0
        )

    def _sign_trial(self, key: _KeyInSession, digest: bytes) -> bytes:
        signed = self._sign(key, [token_input(key.algorithm, digest)], 0.0)
        if signed.failure is not None:
            raise signed.failure
        return signed.signatures[0]

    def _trial(self, key: SealKey, facts: PublicFacts) -> Callable[[int, bytes], bytes]:
        def sign(handle: int, digest: bytes) -> bytes:
            return self._sign_trial(_KeyInSession.found(handle, key.algorithm, facts), digest)

        return sign
