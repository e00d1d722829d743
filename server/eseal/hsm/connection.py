"""The line to one token: the module, the session that stays logged in, and how signing sessions are opened on it.

Login is a state of the token for the whole process (PKCS#11 v2.40 section 5.6): one session logs in and stays open to
the end, and every other session signs without a PIN. Nothing here calls C_Logout, which would log all of them out.

A PIN is tried once. A wrong one is never tried again, because tokens lock after a few attempts: the line stays refused
until the PIN at its place (``hsm.pin_file`` or ``hsm.pin_env``) is another one, which only a person can bring about.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import structlog
from pkcs11 import TokenFlag

from eseal.errors import SetupError
from eseal.hsm.cryptoki import HSM_FAULTS, CryptokiError, code_of
from eseal.hsm.module import open_module
from eseal.hsm.session import SigningSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pkcs11

    from eseal.hsm.algorithms import PublicFacts
    from eseal.hsm.settings import HsmSettings
    from eseal.terms import SealKey

log = structlog.get_logger(__name__)

_PIN_REFUSALS = {
    "CKR_PIN_INCORRECT": (
        "HSM_PIN_INCORRECT",
        (
            "The token refused the PIN (CKR_PIN_INCORRECT). It was tried once and will not be tried again, because tokens lock "
            "after a few attempts. Put the right PIN in its place."
        ),
    ),
    "CKR_PIN_LOCKED": (
        "HSM_PIN_LOCKED",
        (
            "The token's user PIN is locked (CKR_PIN_LOCKED): too many wrong attempts. The security officer must set a new "
            "one (C_InitPIN; with OpenSC: pkcs11-tool --login --login-type so --init-pin), then put it in its place."
        ),
    ),
    "CKR_PIN_EXPIRED": (
        "HSM_PIN_EXPIRED",
        "The token's user PIN has expired (CKR_PIN_EXPIRED). Set a new one (C_SetPIN), then put it in its place.",
    ),
    "CKR_USER_PIN_NOT_INITIALIZED": (
        "HSM_PIN_NOT_INITIALIZED",
        "The token has no user PIN yet (CKR_USER_PIN_NOT_INITIALIZED). The security officer must set one (C_InitPIN).",
    ),
}
_PIN_REFUSALS |= dict.fromkeys(("CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE"), _PIN_REFUSALS["CKR_PIN_INCORRECT"])


class PinRefused(SetupError):
    """The token refused the PIN; nothing is tried again until a person has put another one in its place."""


class Connection:
    """A token, logged in. Not safe for threads: one thread at a time owns it (see ``keeper``)."""

    def __init__(self, settings: HsmSettings, keys: Mapping[SealKey, PublicFacts]) -> None:
        """Start the module and log in. SetupError with advice where that cannot be."""
        self._settings = settings
        self._keys = keys
        self._refused_pin: str | None = None
        self._refusal: PinRefused | None = None
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
        pin = self._pin_to_try()
        try:
            self.module.cryptoki.login(self._anchor.handle, pin)
        except CryptokiError as error:
            if error.code == "CKR_USER_ALREADY_LOGGED_IN":
                return
            if error.code not in _PIN_REFUSALS:
                raise
            reason, message = _PIN_REFUSALS[error.code]
            self._refused_pin = pin
            self._refusal = PinRefused(reason, message, metadata={"token": self._token.label})
            raise self._refusal from error
        self._refused_pin = self._refusal = None

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
        if self._token is None:
            raise CryptokiError("C_OpenSession", "CKR_TOKEN_NOT_PRESENT")
        opened = self._token.open(rw=self._settings.quirks.read_write_sessions)
        session = SigningSession(self.module.cryptoki, opened, self._settings.quirks.signature_buffer)
        try:
            session.adopt(self._keys)
        except BaseException:
            session.close()
            raise
        return session

    @contextlib.contextmanager
    def writing(self) -> Iterator[pkcs11.Session]:
        """A read/write session for making keys. PKCS11Error or CryptokiError where the module fails."""
        if self._token is None:
            raise CryptokiError("C_OpenSession", "CKR_TOKEN_NOT_PRESENT")
        session = self._token.open(rw=True)
        try:
            yield session
        finally:
            with contextlib.suppress(*HSM_FAULTS):
                session.close()

    def restart(self) -> None:
        """C_Finalize, C_Initialize and log in again. No other thread may be inside the module."""
        self._anchor = self._token = None
        self.module.restart(self._settings)
        self.login()

    def session_limit(self) -> int | None:
        """How many sessions the token says it has; None where it knows no limit or does not tell."""
        if self._token is None:
            return None
        return self.module.cryptoki.token_info(self._token.slot.slot_id).max_sessions

    def close(self, *, finalise: bool = True) -> None:
        """Close the session that stays and leave the module."""
        self._close_anchor()
        if finalise:
            self.module.close()
        else:
            self.module.abandon()

    def _pin_to_try(self) -> str | None:
        """The PIN, unless trying it could do harm."""
        if self._settings.quirks.login == "protected":
            return None
        pin = self._settings.pin()
        if self._refusal is not None and pin == self._refused_pin:
            raise self._refusal
        flags = self._token_flags()
        if TokenFlag.USER_PIN_LOCKED in flags:
            raise PinRefused(*_PIN_REFUSALS["CKR_PIN_LOCKED"])
        if TokenFlag.USER_PIN_FINAL_TRY in flags:
            raise PinRefused(
                "HSM_PIN_FINAL_TRY",
                "The token says that one more wrong PIN locks it (CKF_USER_PIN_FINAL_TRY), so eseal does not try. Log in "
                "once by hand with the right PIN (with OpenSC: pkcs11-tool --login --list-objects), then start again.",
            )
        return pin

    def _token_flags(self) -> TokenFlag:
        if self._token is None:
            return TokenFlag(0)
        return self.module.cryptoki.token_info(self._token.slot.slot_id).flags

    def _close_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            with contextlib.suppress(*HSM_FAULTS):
                self.module.cryptoki.close_session(anchor.handle)


def cause_of(error: Exception) -> str:
    """One word for logs and metrics: the return value's name, or our own reason."""
    return error.reason if isinstance(error, SetupError) else code_of(error)
