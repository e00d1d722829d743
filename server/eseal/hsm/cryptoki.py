"""The few calls of PKCS#11 v2.40 that python-pkcs11 does not make in the way that a pool of threads needs.

python-pkcs11 finds tokens and keys, opens sessions and makes keys. Four things it does otherwise, so they go straight
to the module's function list here:

- C_Initialize: it passes NULL, which promises the module that only one thread will call it (section 5.4), while every
  call is made without the GIL. SoftHSM then switches its locks off, and two threads bring the process down.
- C_Login: its sessions log out of the whole token when the one that logged in is closed, and a failed login leaks one.
- C_Sign: it asks for the length first, so a signature is three calls rather than two, and takes the GIL between them. The
  loop over a batch is native (``sealcore.TokenSigner``), and so is the queue before it (``sealcore.Lanes``): with many
  sessions the GIL costs more than the signatures.
- C_GetTokenInfo: it leaves out how many sessions the token has.

ctypes releases the GIL around each of these calls.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pkcs11
from pkcs11 import TokenFlag

from eseal.sealcore import TokenSigner

if TYPE_CHECKING:
    from collections.abc import Callable

CKF_OS_LOCKING_OK: Final = 0x2
CKU_USER: Final = 1
CKM_RSA_PKCS: Final = 0x1
CKM_RSA_PKCS_PSS: Final = 0xD
CKM_ECDSA: Final = 0x1041
CKM_SHA256: Final = 0x250
CKG_MGF1_SHA256: Final = 0x2

# Places in CK_FUNCTION_LIST (section 5.2), after the version that stands in front as one pointer's width.
_INITIALIZE, _FINALIZE, _TOKEN_INFO, _CLOSE, _CLOSE_ALL, _SESSION_INFO, _LOGIN = 1, 2, 7, 14, 15, 16, 19
_USER_STATES = (1, 3)  # CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS

# Section 5.1.6; only those that something here tells apart or that an operator is likely to meet.
RETURN_VALUES: Final = {
    0x00: "CKR_OK",
    0x02: "CKR_HOST_MEMORY",
    0x03: "CKR_SLOT_ID_INVALID",
    0x05: "CKR_GENERAL_ERROR",
    0x06: "CKR_FUNCTION_FAILED",
    0x07: "CKR_ARGUMENTS_BAD",
    0x0A: "CKR_CANT_LOCK",
    0x20: "CKR_DATA_INVALID",
    0x21: "CKR_DATA_LEN_RANGE",
    0x30: "CKR_DEVICE_ERROR",
    0x31: "CKR_DEVICE_MEMORY",
    0x32: "CKR_DEVICE_REMOVED",
    0x54: "CKR_FUNCTION_NOT_SUPPORTED",
    0x60: "CKR_KEY_HANDLE_INVALID",
    0x62: "CKR_KEY_SIZE_RANGE",
    0x63: "CKR_KEY_TYPE_INCONSISTENT",
    0x68: "CKR_KEY_FUNCTION_NOT_PERMITTED",
    0x70: "CKR_MECHANISM_INVALID",
    0x71: "CKR_MECHANISM_PARAM_INVALID",
    0x82: "CKR_OBJECT_HANDLE_INVALID",
    0x90: "CKR_OPERATION_ACTIVE",
    0x91: "CKR_OPERATION_NOT_INITIALIZED",
    0xA0: "CKR_PIN_INCORRECT",
    0xA1: "CKR_PIN_INVALID",
    0xA2: "CKR_PIN_LEN_RANGE",
    0xA3: "CKR_PIN_EXPIRED",
    0xA4: "CKR_PIN_LOCKED",
    0xB0: "CKR_SESSION_CLOSED",
    0xB1: "CKR_SESSION_COUNT",
    0xB3: "CKR_SESSION_HANDLE_INVALID",
    0xE0: "CKR_TOKEN_NOT_PRESENT",
    0xE1: "CKR_TOKEN_NOT_RECOGNIZED",
    0x100: "CKR_USER_ALREADY_LOGGED_IN",
    0x101: "CKR_USER_NOT_LOGGED_IN",
    0x102: "CKR_USER_PIN_NOT_INITIALIZED",
    0xC1: "CKR_SIGNATURE_LEN_RANGE",
    0x150: "CKR_BUFFER_TOO_SMALL",
    0x190: "CKR_CRYPTOKI_NOT_INITIALIZED",
    0x191: "CKR_CRYPTOKI_ALREADY_INITIALIZED",
}


class CryptokiError(Exception):
    """A call into the module failed; ``code`` is the name of its return value (``CKR_DEVICE_ERROR``)."""

    def __init__(self, function: str, code: str) -> None:
        super().__init__(f"{function} returned {code}")
        self.function = function
        self.code = code

    @classmethod
    def of(cls, function: str, value: int) -> CryptokiError:
        """The error that return value ``value`` stands for."""
        return cls(function, RETURN_VALUES.get(value, f"CKR_{value:#x}"))


HSM_FAULTS = (CryptokiError, pkcs11.PKCS11Error)
"""What a call into the module may raise, through either door."""


def code_of(error: Exception) -> str:
    """The return value behind ``error``, by its name in PKCS#11, also where python-pkcs11 raised it."""
    if isinstance(error, CryptokiError):
        return error.code
    if isinstance(error, pkcs11.TokenNotRecognised):
        return "CKR_TOKEN_NOT_RECOGNIZED"
    if isinstance(error, pkcs11.PKCS11Error) and type(error) is not pkcs11.PKCS11Error:
        return "CKR" + re.sub(r"(?=[A-Z])", "_", type(error).__name__).upper()
    text = str(error)
    if "not initialized" in text:
        return "CKR_CRYPTOKI_NOT_INITIALIZED"
    found = re.search(r"0x[0-9a-f]+", text)
    return CryptokiError.of("", int(found[0], 16)).code if found else "CKR_GENERAL_ERROR"


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What the token says about itself now. A limit is None where it knows none or does not tell.

    ``max_sessions`` is for sessions of either kind, ``max_rw_sessions`` for those of them that are read/write.
    """

    max_sessions: int | None
    max_rw_sessions: int | None
    flags: TokenFlag


class Cryptoki:
    """The function list of one loaded module. Every method blocks, without the GIL; CryptokiError where one fails."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        functions = ctypes.POINTER(ctypes.c_void_p)()
        _check("C_GetFunctionList", library.C_GetFunctionList(ctypes.byref(functions)))
        self._library = library
        ulong, pointer = ctypes.c_ulong, ctypes.c_void_p
        self._initialize = _function(functions, _INITIALIZE, pointer)
        self._finalize = _function(functions, _FINALIZE, pointer)
        self._token_info = _function(functions, _TOKEN_INFO, ulong, pointer)
        self._close = _function(functions, _CLOSE, ulong)
        self._close_all = _function(functions, _CLOSE_ALL, ulong)
        self._session_info = _function(functions, _SESSION_INFO, ulong, pointer)
        self._login = _function(functions, _LOGIN, ulong, ulong, ctypes.c_char_p, ulong)
        self.signer = TokenSigner(path)
        # How often the module was started: handles are numbers of one start, and come again in the next.
        self.starts = 0

    def initialize(self, *, os_locking: bool, reserved: str | None = None) -> None:
        """C_Initialize; the module may use the system's own locks (CKF_OS_LOCKING_OK) unless told otherwise."""
        text = ctypes.create_string_buffer(reserved.encode()) if reserved is not None else None
        arguments = _InitializeArguments(
            flags=CKF_OS_LOCKING_OK if os_locking else 0, reserved=ctypes.addressof(text) if text else None
        )
        without = not os_locking and text is None
        _check("C_Initialize", self._initialize(None if without else ctypes.byref(arguments)))
        self.starts += 1

    def finalize(self) -> None:
        """C_Finalize; no other thread may be inside the module (section 5.4)."""
        _check("C_Finalize", self._finalize(None))

    def token_info(self, slot: int) -> TokenInfo:
        """C_GetTokenInfo of the token in ``slot``."""
        info = _TokenInfo()
        _check("C_GetTokenInfo", self._token_info(slot, ctypes.byref(info)))
        unknown = (0, ctypes.c_ulong(-1).value)  # CK_EFFECTIVELY_INFINITE, CK_UNAVAILABLE_INFORMATION
        most, most_rw = (None if limit in unknown else limit for limit in (info.max_sessions, info.max_rw_sessions))
        return TokenInfo(most, most_rw, TokenFlag(info.flags))

    def login(self, session: int, user_type: int, pin: str | None) -> None:
        """C_Login; ``pin`` None leaves entering it to the device."""
        encoded = None if pin is None else pin.encode()
        _check("C_Login", self._login(session, user_type, encoded, len(encoded or b"")))

    def is_logged_in(self, session: int) -> bool:
        """C_GetSessionInfo: whether the user is logged in. It can take a second on a network HSM; recovery alone asks."""
        info = (ctypes.c_ulong * 4)()
        _check("C_GetSessionInfo", self._session_info(session, info))
        return info[1] in _USER_STATES

    def close_session(self, session: int) -> None:
        """C_CloseSession."""
        _check("C_CloseSession", self._close(session))

    def close_all_sessions(self, slot: int) -> None:
        """C_CloseAllSessions of this process with the token in ``slot``; it logs out as well."""
        _check("C_CloseAllSessions", self._close_all(slot))


class _InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _TokenInfo(ctypes.Structure):
    """CK_TOKEN_INFO."""

    _fields_ = (
        ("label", ctypes.c_char * 32),
        ("manufacturer", ctypes.c_char * 32),
        ("model", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
        ("flags", ctypes.c_ulong),
        ("max_sessions", ctypes.c_ulong),
        ("sessions", ctypes.c_ulong),
        ("max_rw_sessions", ctypes.c_ulong),
        ("rw_sessions", ctypes.c_ulong),
        ("pin_and_memory", ctypes.c_ulong * 6),
        ("versions", ctypes.c_ubyte * 4),
        ("utc_time", ctypes.c_char * 16),
    )


def _function(functions: ctypes._Pointer[ctypes.c_void_p], place: int, *arguments: type) -> Callable[..., int]:
    return ctypes.CFUNCTYPE(ctypes.c_ulong, *arguments)(functions[place] or 0)


def _check(function: str, value: int) -> None:
    if value:
        raise CryptokiError.of(function, value)
