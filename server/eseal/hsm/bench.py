"""How many signatures a second a key gives, by number of sessions: what to write into ``hsm.sessions``."""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs11 import Attribute, ObjectClass

from eseal.errors import SetupError
from eseal.hsm.algorithms import DIGEST_LENGTHS, token_input, token_key
from eseal.hsm.connection import errand
from eseal.hsm.cryptoki import CryptokiError
from eseal.hsm.inventory import kind_of
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pkcs11

    from eseal.hsm.connection import Connection
    from eseal.hsm.settings import HsmSettings

_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Rate:
    """What ``sessions`` sessions gave together: signatures a second, and seconds a signature (median and 99 of 100)."""

    sessions: int
    per_second: float
    median_seconds: float
    p99_seconds: float


def bench(settings: HsmSettings, label: str, *, seconds: float) -> Iterator[Rate]:
    """Measure with 1, 2, 4 ... sessions, up to ``settings.sessions``, each for ``seconds``, with the key under ``label``.

    What is signed is random, so no seal. SetupError where there is no such key or the token fails.
    """
    with errand(settings, _failed) as connection:
        sessions: list[_Session] = []
        wanted = 1
        while True:
            while len(sessions) < wanted:
                sessions.append(_Session(connection, connection.open_bare_session(), label, settings))
            yield _measure(sessions, seconds)
            if wanted == settings.sessions:
                return
            wanted = min(2 * wanted, settings.sessions)


def _failed(cause: str) -> SetupError:
    return SetupError("HSM_NOT_WORKING", f"The token failed: {cause}.")


class _Session:
    """A session with the key looked up in it."""

    def __init__(self, connection: Connection, session: pkcs11.Session, label: str, settings: HsmSettings) -> None:
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label}))
        algorithms = kind_of(found[0])[1] if found else ()
        if not algorithms:
            raise SetupError(
                "KEY_NOT_FOUND",
                f"The token holds no private key with the label '{label}' that can seal; `eseal hsm list` shows its keys.",
            )
        algorithm = algorithms[0]
        digest = os.urandom(DIGEST_LENGTHS[algorithm])
        self._data = [token_input(algorithm, digest)] * _AT_A_TIME
        self._signer = connection.module.cryptoki.signer
        self._key = token_key(
            algorithm,
            session=session.handle,
            handle=found[0].handle,
            signature_length=_signature_length(found[0], algorithm),
            buffer_size=settings.quirks.signature_buffer,
        )
        self.took: list[float] = []

    def work(self, until: float) -> None:
        """Sign until then."""
        self.took = []
        while time.monotonic() < until:
            _, took, failure = self._signer.sign_many(self._key, self._data, 0.1)
            self.took += took
            if failure is not None:
                raise CryptokiError.of(*failure)


def _measure(sessions: list[_Session], seconds: float) -> Rate:
    failures: list[BaseException] = []

    def work(session: _Session) -> None:
        try:
            session.work(until)
        except CryptokiError as error:
            failures.append(error)

    started = time.monotonic()
    until = started + seconds
    threads = [threading.Thread(target=work, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - started
    if failures:
        raise failures[0]
    took = [seconds for session in sessions for seconds in session.took]
    p99 = statistics.quantiles(took, n=100)[-1] if len(took) > 1 else took[0]
    return Rate(len(sessions), len(took) / elapsed, statistics.median(took), p99)


def _signature_length(private: pkcs11.Object, algorithm: Algorithm) -> int:
    if algorithm in (Algorithm.ES256, Algorithm.ES384):
        return 2 * DIGEST_LENGTHS[algorithm]
    return (int.from_bytes(private[Attribute.MODULUS]).bit_length() + 7) // 8
