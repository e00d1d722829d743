"""The line to one token: the module, the session that stays logged in, and how signing sessions are opened on it.

Login is a state of the token for the whole process (PKCS#11 v2.40 section 5.6): one session logs in and stays open to
the end, and every other session signs without a PIN. Nothing here calls C_Logout, which would log all of them out.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from eseal.errors import SetupError
from eseal.hsm.cryptoki import HSM_FAULTS, CryptokiError, code_of
from eseal.hsm.module import open_module
from eseal.hsm.pin import PinAttempt
from eseal.hsm.session import SigningSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pkcs11

    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.settings import HsmSettings
    from eseal.terms import SealKey


class Connection:
    """A token, logged in. Not safe for threads: one thread at a time owns it (see ``keeper``)."""

    def __init__(self, settings: HsmSettings, keys: Mapping[SealKey, PublicFacts]) -> None:
        """Start the module and log in. SetupError with advice where that cannot be."""
        self._settings = settings
        self._keys = keys
        self._pin = PinAttempt(settings)
        self._anchor: pkcs11.Session | None = None
        self._token: pkcs11.Token | None = None
        self.module = open_module(settings)
        try:
            self.login()
        except BaseException:
            self.module.close()
            raise

    def login(self) -> None:
        """Find the token, open the session that stays, and log in, unless the process still is.

        PinRefused where the token refuses the PIN, or refused this same PIN before; SetupError where the token is not
        there; PKCS11Error or CryptokiError where the module fails.
        """
        self._close_anchor()
        self._token = self.module.token(self._settings)
        # python-pkcs11's open() would log out of the token on close() if it were the one to log in.
        self._anchor = self._token.open(rw=self._settings.quirks.read_write_sessions)
        if self._settings.quirks.login == "none":
            return
        if self.module.cryptoki.is_logged_in(self._anchor.handle):
            return
        info = self.module.cryptoki.token_info(self._token.slot.slot_id)
        serial = self._token.serial.decode("utf-8", "replace")
        try:
            user_type = self._settings.quirks.user_type
            self._pin.login(info, serial, partial(self.module.cryptoki.login, self._anchor.handle, user_type))
        except CryptokiError as error:
            if error.code != "CKR_USER_ALREADY_LOGGED_IN":
                raise

    def is_logged_in(self) -> bool:
        """Whether the session that stays is there and logged in, by asking the token."""
        if self._anchor is None:
            return False
        if self._settings.quirks.login == "none":
            return True
        return self.module.cryptoki.is_logged_in(self._anchor.handle)

    def open_session(self) -> SigningSession:
        """Open a signing session and look up the keys in it, checked against their certificates.

        SetupError where no key is there or none is right; PKCS11Error or CryptokiError where the module fails.
        """
        opened = self.open_bare_session()
        session = SigningSession(self.module.cryptoki, opened, self._settings.quirks)
        try:
            session.adopt(self._keys)
        except BaseException:
            session.close()
            raise
        return session

    def look_again(self, session: SigningSession) -> None:
        """Look up in ``session`` the keys that were refused in it. Errors as in ``open_session``; nobody may use it meanwhile."""
        session.adopt(self._keys)

    def open_bare_session(self, *, rw: bool = False) -> pkcs11.Session:
        """Open a session in which no key is looked up. PKCS11Error or CryptokiError where the module fails."""
        if self._token is None:
            raise CryptokiError("C_OpenSession", "CKR_TOKEN_NOT_PRESENT")
        return self._token.open(rw=rw or self._settings.quirks.read_write_sessions)

    @contextlib.contextmanager
    def reading(self, *, rw: bool = False) -> Iterator[pkcs11.Session]:
        """A session for looking around. PKCS11Error or CryptokiError where the module fails."""
        session = self.open_bare_session(rw=rw)
        try:
            yield session
        finally:
            with contextlib.suppress(*HSM_FAULTS):
                session.close()

    def writing(self) -> contextlib.AbstractContextManager[pkcs11.Session]:
        """A session for making keys. PKCS11Error or CryptokiError where the module fails."""
        return self.reading(rw=True)

    def restart(self) -> None:
        """C_Finalize, C_Initialize and log in again. No other thread may be inside the module."""
        self._anchor = self._token = None
        self.module.restart(self._settings)
        self.login()

    def session_limit(self) -> int | None:
        """How many sessions of our kind the token says it has; None where it knows no limit or does not tell."""
        if self._token is None:
            return None
        info = self.module.cryptoki.token_info(self._token.slot.slot_id)
        ours = (info.max_sessions, info.max_rw_sessions if self._settings.quirks.read_write_sessions else None)
        return min((limit for limit in ours if limit is not None), default=None)

    def close(self, *, finalise: bool = True) -> None:
        """Close the session that stays and leave the module."""
        self._close_anchor()
        if finalise:
            self.module.close()
        else:
            self.module.abandon()

    def _close_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            with contextlib.suppress(*HSM_FAULTS):
                self.module.cryptoki.close_session(anchor.handle)


@contextlib.contextmanager
def errand(settings: HsmSettings, refusal: Callable[[str], SetupError]) -> Iterator[Connection]:
    """A connection for a person's errand, without keys; what the module fails with is raised as ``refusal(cause)``."""
    try:
        connection = Connection(settings, {})
        try:
            yield connection
        finally:
            connection.close()
    except HSM_FAULTS as error:
        raise refusal(cause_of(error)) from error


def cause_of(error: Exception) -> str:
    """One word for logs and metrics: the return value's name, or our own reason."""
    return error.reason if isinstance(error, SetupError) else code_of(error)
