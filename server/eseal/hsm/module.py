"""A PKCS#11 module as this process has it: loaded once, started once, safe for threads.

C_Initialize and C_Finalize belong to the process and not to whoever calls them, so the modules that are started are
kept here and shared by their users; the last one to leave finalises. PKCS#11 does not survive a fork (section 6.5.1 of
the usage guide), so workers are spawned and each starts the module for itself.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import _pkcs11

from eseal.errors import SetupError
from eseal.hsm.cryptoki import Cryptoki, CryptokiError, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs11 import Slot, Token

    from eseal.hsm.settings import HsmSettings

# Guards _LOADED and every module's ``users`` and ``environment``.
_LOCK = threading.Lock()
_LOADED: dict[str, Module] = {}


class _Library(_pkcs11.lib):  # type: ignore[misc]  # a cdef class, which the stub does not say may be extended
    """python-pkcs11's door to the module, which leaves starting and stopping it to us.

    Its own ``initialize`` passes NULL to C_Initialize and would undo the locking that threads need.
    """

    def initialize(self) -> None:
        """Do nothing: ``Module`` has started it."""


class Module:
    """A started module. Use ``open_module``; close it with ``close`` as often as it was opened."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.users = 0
        self.environment: dict[str, str] = {}
        self.cryptoki = Cryptoki(path)
        self._library: _Library | None = None

    def start(self, settings: HsmSettings) -> None:
        """C_Initialize, with locks. SetupError with what the operator may do."""
        os.environ.update(settings.environment)
        quirks = settings.quirks
        try:
            self.cryptoki.initialize(os_locking=quirks.initialize == "os-locking", reserved=quirks.initialize_reserved)
        except CryptokiError as error:
            raise SetupError("HSM_MODULE_NOT_STARTED", _start_advice(settings, error)) from error
        self.environment = dict(settings.environment)
        if self._library is None:
            self._library = _Library(self.path)
            # Never destroyed: its destructor calls a method, and methods are gone when the interpreter ends.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._library))

    def restart(self, settings: HsmSettings) -> None:
        """C_Finalize and C_Initialize: every session and handle of this process is gone. No thread may be inside."""
        try:
            self.cryptoki.finalize()
        except CryptokiError as error:
            # Somebody may have finalised it beneath us: then there is nothing to stop, only to start.
            if error.code != "CKR_CRYPTOKI_NOT_INITIALIZED":
                raise
        self.start(settings)

    def token(self, settings: HsmSettings) -> Token:
        """Find the one token that the settings name, by what the slots hold now.

        SetupError where there is none or more than one; CryptokiError or PKCS11Error where the module fails.
        """
        present = list(self.tokens())
        found = [token for token in present if _is_meant(token, settings)]
        if len(found) == 1:
            return found[0]
        there = ", ".join(f"'{token.label}' (slot {token.slot.slot_id})" for token in present) or "none"
        wanted = _wanted(settings)
        if found:
            raise SetupError(
                "HSM_TOKEN_AMBIGUOUS",
                f"{len(found)} tokens match {wanted}. Add hsm.token_serial or hsm.slot. Tokens present: {there}.",
            )
        raise SetupError(
            "HSM_TOKEN_NOT_FOUND",
            f"No token matches {wanted} in {settings.module}. Tokens present: {there}. Check that the HSM is connected, "
            "its client configured and hsm.environment points to that configuration.",
        )

    def tokens(self) -> Iterator[Token]:
        """The initialised tokens that the slots hold now. CryptokiError or PKCS11Error where the module fails."""
        if self._library is None:
            raise CryptokiError("C_GetSlotList", "CKR_CRYPTOKI_NOT_INITIALIZED")
        for slot in self._library.get_slots(token_present=True):
            token = _token_in(slot)
            if token is not None and pkcs11.TokenFlag.TOKEN_INITIALIZED in token.flags:
                yield token

    def close(self) -> None:
        """Leave the module; the last user finalises it."""
        with _LOCK:
            self.users -= 1
            if self.users == 0:
                try:
                    self.cryptoki.finalize()
                except CryptokiError as error:
                    if error.code != "CKR_CRYPTOKI_NOT_INITIALIZED":
                        raise

    def abandon(self) -> None:
        """Leave the module without finalising it, because a thread is still inside; only the process's end can."""
        with _LOCK:
            _LOADED.pop(self.path, None)


def open_module(settings: HsmSettings) -> Module:
    """Load and start the module of ``settings``, or join those who use it already.

    SetupError where it cannot be loaded or started, or where it runs with another environment: the module reads its
    environment when it starts, so one process cannot have it in two.
    """
    path = str(settings.module)
    with _LOCK:
        module = _LOADED.get(path)
        if module is None:
            module = _LOADED[path] = _load(path)
        if module.users == 0:
            module.start(settings)
        elif module.environment != dict(settings.environment):
            raise SetupError(
                "HSM_MODULE_IN_USE",
                f"{path} is already started in this process with another hsm.environment; use one process for each.",
            )
        module.users += 1
        return module


def _load(path: str) -> Module:
    try:
        return Module(path)
    except (OSError, AttributeError, CryptokiError) as error:
        raise SetupError(
            "HSM_MODULE_NOT_LOADED",
            f"The PKCS#11 module cannot be loaded: {error}. Set hsm.module to the vendor's library "
            "(Debian's SoftHSM: /usr/lib/softhsm/libsofthsm2.so) and check that it is built for this machine.",
        ) from error


def _token_in(slot: Slot) -> Token | None:
    try:
        return slot.get_token()
    except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
        return None


def _is_meant(token: Token, settings: HsmSettings) -> bool:
    return (
        settings.token_label in (None, token.label)
        and settings.token_serial in (None, token.serial.decode("utf-8", "replace").strip())
        and settings.slot in (None, token.slot.slot_id)
    )


def _wanted(settings: HsmSettings) -> str:
    named = {"token_label": settings.token_label, "token_serial": settings.token_serial, "slot": settings.slot}
    return " and ".join(f"hsm.{name} = {value!r}" for name, value in named.items() if value is not None)


def _start_advice(settings: HsmSettings, error: CryptokiError) -> str:
    code = code_of(error)
    advice = {
        "CKR_CRYPTOKI_ALREADY_INITIALIZED": "Another library in this process has started it, perhaps without locks. Give "
        "eseal a process of its own.",
        "CKR_CANT_LOCK": "It cannot use the system's locks. If its vendor says that it is safe for threads all the same, "
        'set hsm.quirks.initialize = "none".',
        "CKR_ARGUMENTS_BAD": 'It refuses the arguments. Try hsm.quirks.initialize = "none" or initialize_reserved, as its '
        "vendor documents.",
    }.get(code, "Check its configuration file and the variables in hsm.environment, and that this user may read them.")
    return f"{settings.module} does not start: C_Initialize returned {code}. {advice}"
