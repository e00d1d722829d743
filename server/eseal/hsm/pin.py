"""The PIN: tried once. A wrong one is never tried again, because tokens lock after a few attempts.

It stays refused until the PIN at its place (``hsm.pin_file`` or ``hsm.pin_env``) is another one, which only a person can
bring about. Worker processes and restarts would each have an attempt of their own; the guard (``hsm.pin_guard``, or a file
beside ``hsm.pin_file``) is a file by which they know of each other's. It holds a mark of the PIN and why it was refused.

A PIN that has expired, or that the token does not have yet, is not marked: it may be the right one, no attempt with it
counts against the token, and what a person does about it happens in the token.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import os
from typing import TYPE_CHECKING, TextIO

import structlog
from pkcs11 import TokenFlag

from eseal.errors import SetupError
from eseal.hsm.cryptoki import CryptokiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from eseal.hsm.cryptoki import TokenInfo
    from eseal.hsm.settings import HsmSettings

log = structlog.get_logger(__name__)

_INCORRECT = (
    "HSM_PIN_INCORRECT",
    (
        "The token refused the PIN (CKR_PIN_INCORRECT). It was tried once and will not be tried again, because tokens lock "
        "after a few attempts. Put the right PIN in its place."
    ),
)
_REFUSALS = {
    "CKR_PIN_INCORRECT": _INCORRECT,
    "CKR_PIN_INVALID": _INCORRECT,
    "CKR_PIN_LEN_RANGE": _INCORRECT,
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
# What says nothing against the PIN itself.
_NOT_THE_PINS_FAULT = {"CKR_PIN_EXPIRED", "CKR_USER_PIN_NOT_INITIALIZED"}
_FINAL_TRY = (
    "HSM_PIN_FINAL_TRY",
    (
        "The token says that one more wrong PIN locks it (CKF_USER_PIN_FINAL_TRY), so eseal does not try. Log in once by "
        "hand with the right PIN (with OpenSC: pkcs11-tool --login --list-objects), then start again."
    ),
)


class PinRefused(SetupError):
    """The token refused the PIN, or would: only a person can help. ``returned`` is its return value, where it was asked."""

    def __init__(self, reason: str, message: str, *, returned: str = "") -> None:
        super().__init__(reason, message)
        self.returned = returned

    @property
    def is_final(self) -> bool:
        """Whether the same PIN must not be tried again."""
        return self.returned in _REFUSALS and self.returned not in _NOT_THE_PINS_FAULT


class PinAttempt:
    """The one attempt that each PIN has with a token."""

    def __init__(self, settings: HsmSettings) -> None:
        self._settings = settings
        self._refused: str | None = None
        self._refusal: PinRefused | None = None

    def login(self, info: TokenInfo, serial: str, login: Callable[[str | None], None]) -> None:
        """Call ``login(pin)`` unless that could do harm. PinRefused where the token refuses the PIN, or did before.

        Another CryptokiError of ``login`` is raised as it is, and so is the SetupError of a PIN that cannot be read.
        """
        if self._settings.quirks.login == "protected":
            login(None)
            return
        pin = self._settings.pin()
        if self._refusal is not None and pin == self._refused:
            raise self._refusal
        _require_attempts_left(info)
        try:
            with self._guarded(serial, pin):
                _try(login, pin)
        except PinRefused as refusal:
            if refusal.is_final:
                self._refused, self._refusal = pin, refusal
            raise
        self._refused = self._refusal = None

    @contextlib.contextmanager
    def _guarded(self, serial: str, pin: str) -> Iterator[None]:
        """One process at a time, and none with a PIN that another one saw refused."""
        opened = self._open_guard()
        if opened is None:
            yield
            return
        guard, descriptor = opened
        with os.fdopen(descriptor, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            mark, _, code = file.read().partition("\n")
            if _is_of(mark, serial, pin):
                raise _remembered(guard, code.strip())
            try:
                yield
            except PinRefused as refusal:
                if refusal.is_final:
                    _rewrite(file, f"{_mark(os.urandom(16), serial, pin)}\n{refusal.returned}\n")
                raise
            _rewrite(file, "")

    def _open_guard(self) -> tuple[Path, int] | None:
        """The guard file and its descriptor; None where none is named, and none can be beside the PIN."""
        named, pin_file = self._settings.pin_guard, self._settings.pin_file
        guard = named or (pin_file and pin_file.with_name(f"{pin_file.name}.refused"))
        try:
            if guard is not None:
                return guard, os.open(guard, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if named is not None:
                raise SetupError("HSM_PIN_GUARD", f"hsm.pin_guard cannot be written: {error}.") from error
        log.warning(
            "hsm_pin_unguarded",
            risk="each start and each worker process tries a wrong PIN once, and tokens lock after a few attempts",
            advice="name a file in hsm.pin_guard that this service may write",
        )
        return None


def _remembered(guard: Path, code: str) -> PinRefused:
    """Say again what was said when the PIN was refused, and which file to remove."""
    code = code if code in _REFUSALS else "CKR_PIN_INCORRECT"
    reason, message = _REFUSALS[code]
    return PinRefused(
        reason, f"{message} The file {guard} remembers it: remove it to have the same PIN tried again.", returned=code
    )


def _try(login: Callable[[str | None], None], pin: str) -> None:
    try:
        login(pin)
    except CryptokiError as error:
        if error.code not in _REFUSALS:
            raise
        raise PinRefused(*_REFUSALS[error.code], returned=error.code) from error


def _require_attempts_left(info: TokenInfo) -> None:
    """The last attempt is a person's."""
    if TokenFlag.USER_PIN_LOCKED in info.flags:
        raise PinRefused(*_REFUSALS["CKR_PIN_LOCKED"])
    if TokenFlag.USER_PIN_FINAL_TRY in info.flags:
        raise PinRefused(*_FINAL_TRY)


def _mark(salt: bytes, serial: str, pin: str) -> str:
    """What tells a PIN again without saying it. It is a refused one, but may be nearly right: so it is costly to guess."""
    digest = hashlib.scrypt(f"{serial}\0{pin}".encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return f"{salt.hex()} {digest.hex()}"


def _is_of(mark: str, serial: str, pin: str) -> bool:
    salt, _, _ = mark.partition(" ")
    try:
        return bool(mark) and hmac.compare_digest(mark, _mark(bytes.fromhex(salt), serial, pin))
    except ValueError:
        return False


def _rewrite(file: TextIO, text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
