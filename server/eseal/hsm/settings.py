"""What the operator decides about the HSM: the ``[hsm]`` table of the configuration and its ``[[keys]]``.

The PIN is never part of it. ``docs/hsm.md`` says what to set for which vendor, and why.
"""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Literal, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from eseal.errors import SetupError
from eseal.hsm.cryptoki import CKU_USER, RETURN_VALUES
from eseal.terms import Algorithm, SealKey

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RecoverySettings(BaseModel):
    """When the pool climbs which step of the recovery ladder (docs/hsm.md)."""

    model_config = _STRICT

    failures: int = Field(
        default=3,
        ge=1,
        description="This many failures of fresh sessions within `window_seconds`, with no good signature in between, "
        "mean that the module itself must be started again.",
    )
    window_seconds: float = Field(default=10.0, gt=0, description="The time over which `failures` are counted.")
    reinitialise_interval_seconds: float = Field(
        default=30.0,
        ge=0,
        description="C_Finalize and C_Initialize are tried at most once in this time: they disturb every session.",
    )
    quiesce_seconds: float = Field(
        default=5.0,
        gt=0,
        description="How long C_Finalize waits for calls under way. Finalising a module that threads are in is undefined "
        "(PKCS#11 v2.40 section 5.4), so a call that does not come back forbids it.",
    )
    probe_seconds: float = Field(
        default=1.0, gt=0, description="While the HSM is away: the pause before the next attempt; it doubles each time."
    )
    max_probe_seconds: float = Field(default=10.0, gt=0, description="The longest pause between two attempts.")
    stuck_seconds: float = Field(
        default=20.0,
        gt=0,
        description="A call into the module that takes this long is given up: its session is replaced by another one, as long "
        "as no more calls are stuck than there are `sessions`; beyond, the circuit is open until some come back.",
    )


class QuirkSettings(BaseModel):
    """Where modules of different vendors differ; the defaults are those of the standard."""

    model_config = _STRICT

    initialize: Literal["os-locking", "none"] = Field(
        default="os-locking",
        description="The argument of C_Initialize. `os-locking` passes CKF_OS_LOCKING_OK. `none` passes NULL, for a module "
        "that refuses the flag and is documented as safe for threads all the same.",
    )
    initialize_reserved: str | None = Field(
        default=None, description="A text for `pReserved` of C_Initialize, which some software tokens take (NSS)."
    )
    login: Literal["user", "none", "protected"] = Field(
        default="user",
        description="`user`: C_Login with the PIN. `none`: the token needs no login. `protected`: the PIN is entered at the "
        "device (CKF_PROTECTED_AUTHENTICATION_PATH), so C_Login gets none; it needs a person at every login.",
    )
    user_type: int = Field(
        default=CKU_USER,
        ge=0,
        lt=2**32,
        description="Who C_Login logs in, by number: 1 is CKU_USER. A vendor's own users have numbers of their own, such as "
        "0x80000001 for Luna's Crypto User.",
    )
    read_write_sessions: bool = Field(
        default=False, description="Open read/write sessions. Signing needs none; a few modules have no others."
    )
    signature_buffer: int = Field(
        default=1024,
        ge=64,
        le=65536,
        description="The output buffer of C_Sign in bytes. It is of fixed size and the length is never asked for first: on "
        "a network HSM that could be one more round trip a signature.",
    )
    busy: tuple[str, ...] = Field(
        default=(),
        description="Return values of C_SignInit and C_Sign by which this module says that it has too much to do now, by "
        "name (`CKR_FUNCTION_FAILED`) or, the vendor's own, as `CKR_0x80000123`. The session is kept and signs once more "
        "after `busy_seconds`; if the HSM is busy still, the caller is told to come again (RESOURCE_EXHAUSTED).",
    )
    busy_seconds: float = Field(
        default=0.1, gt=0, le=10, description="How long a session rests, about, when the module said that it is busy."
    )

    @field_validator("busy")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        """A misspelt name would never be met."""
        for name in names:
            if name not in RETURN_VALUES.values() and not re.fullmatch(r"CKR_0x[1-9a-f][0-9a-f]*", name):
                message = f"{name!r} is no return value that eseal knows; write others by number, as CKR_0x80000123"
                raise ValueError(message)
        return names


class KeyRoomSettings(BaseModel):
    """What every key room has: how callers wait for it, and when it warns of a certificate's end."""

    model_config = _STRICT

    wait_seconds: float = Field(
        default=30.0, gt=0, description="How long a batch may take in all where its caller set no earlier deadline."
    )
    queue_limit: int = Field(
        default=10_000,
        ge=1,
        description="Digests that may wait in each lane; what comes on top is answered RESOURCE_EXHAUSTED at once. A batch "
        "that finds its lane empty is always taken.",
    )
    bulk_share: int = Field(
        default=4,
        ge=1,
        description="While both lanes wait, one turn in this many goes to bulk, so that it is slow but never starved.",
    )
    warn_days: int = Field(
        default=30, ge=0, description="Days before a seal certificate's end from which the log warns, once a day."
    )


class HsmSettings(KeyRoomSettings):
    """A PKCS#11 token and the pool of sessions on it; unknown keys are refused."""

    module: Path = Field(description="The vendor's PKCS#11 library, such as `/usr/lib/softhsm/libsofthsm2.so`.")
    token_label: str | None = Field(default=None, description="The token's label (CK_TOKEN_INFO.label).")
    token_serial: str | None = Field(
        default=None, description="The token's serial number, where labels are not unique."
    )
    slot: int | None = Field(
        default=None, description="The slot id. SoftHSM and some HSMs number slots anew, so prefer the label."
    )
    pin_file: Path | None = Field(
        default=None, description="A file with the PIN, readable by this service alone; a trailing newline is cut off."
    )
    pin_env: str | None = Field(
        default=None,
        description="The environment variable that holds the PIN. Set `pin_guard` with it: no file stands beside a variable.",
    )
    pin_guard: Path | None = Field(
        default=None,
        description="A file that this service may write, by which worker processes and restarts know that a PIN was refused, "
        "so that it is tried once in all and not once by each. It holds a salted hash and why; remove it to have the PIN "
        "tried again. Left out, it is `<pin_file>.refused`, where that folder can be written; with `pin_env` there is none, "
        "and the log warns (`hsm_pin_unguarded`).",
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="Environment variables that the vendor's library reads, set before it is loaded: SOFTHSM2_CONF, "
        "ChrystokiConfigurationPath, CKNFAST_..., CS_PKCS11_R3_CFG, YUBIHSM_PKCS11_CONF.",
    )
    sessions: int = Field(
        default=4,
        ge=1,
        le=1024,
        description="Signing sessions in each worker process, besides the one that stays logged in. Fewer are opened where "
        "the token says that it has fewer.",
    )
    recovery: RecoverySettings = Field(default_factory=RecoverySettings, description="The recovery ladder.")
    quirks: QuirkSettings = Field(default_factory=QuirkSettings, description="What this vendor's module needs.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """One token must be meant, and the PIN come from one place."""
        if self.token_label is None and self.token_serial is None and self.slot is None:
            message = "name the token: token_label, token_serial or slot"
            raise ValueError(message)
        if self.quirks.login == "user" and (self.pin_file is None) == (self.pin_env is None):
            message = "say where the PIN is: either pin_file or pin_env"
            raise ValueError(message)
        return self

    def pin(self) -> str:
        """Read the PIN, anew each time, so that a person can put a new one there. SetupError where there is none."""
        if self.pin_env is not None:
            pin = os.environ.get(self.pin_env, "")
            where = f"environment variable {self.pin_env} (hsm.pin_env)"
        else:
            where = f"file {self.pin_file} (hsm.pin_file)"
            try:
                pin = self.pin_file.read_text(encoding="utf-8").rstrip("\r\n") if self.pin_file else ""
            except (OSError, UnicodeDecodeError) as error:
                raise SetupError(
                    "HSM_PIN_MISSING", f"The HSM's PIN cannot be read from the {where}: {error}."
                ) from error
        if not pin:
            raise SetupError("HSM_PIN_MISSING", f"The HSM's PIN is missing: the {where} is empty or not set.")
        return pin


class SealKeySettings(BaseModel):
    """A seal key in the HSM and the certificate that speaks for it."""

    model_config = _STRICT

    label: str = Field(
        min_length=1, description="The key's label in the token (CKA_LABEL); for a remote QSCD, the credentialID."
    )
    algorithm: Algorithm = Field(description="The JWS algorithm it seals with: ES256, ES384, PS256 or RS256.")
    certificate_chain: Path = Field(
        description="A PEM file: the seal certificate first, then the CAs above it, without the root."
    )
    default: bool = Field(
        default=False,
        description="Goes before the other keys that name no mandate. Of the keys that may seal, the first whose "
        "certificate is valid now does, so a new key may stand before the old one ahead of its time.",
    )
    mandates: tuple[str, ...] = Field(
        default=(),
        description="The ids of the mandates that this key seals for, and no others; left out, it seals whatever no key "
        "names.",
    )

    def load(self) -> SealKey:
        """Read the certificate chain. SetupError where the file is no chain."""
        try:
            chain = x509.load_pem_x509_certificates(self.certificate_chain.read_bytes())
        except OSError as error:
            raise SetupError(
                "CERTIFICATE_MISSING",
                f"The certificate chain of seal key '{self.label}' cannot be read: {error}.",
            ) from error
        except ValueError as error:
            raise SetupError(
                "CERTIFICATE_UNREADABLE",
                f"The certificate chain of seal key '{self.label}', {self.certificate_chain}, is not a PEM file of "
                f"certificates: {error}.",
            ) from error
        for lower, upper in itertools.pairwise(chain):
            self._require_issued(lower, upper)
        return SealKey(self.label, self.algorithm, tuple(link.public_bytes(Encoding.DER) for link in chain))

    def _require_issued(self, lower: x509.Certificate, upper: x509.Certificate) -> None:
        """SetupError where ``upper`` is not the issuer of ``lower``, by name and by signature (RFC 5280 section 6.1.3)."""
        names = f"'{lower.subject.rfc4514_string()}'", f"'{upper.subject.rfc4514_string()}'"
        if lower.issuer != upper.subject:
            raise SetupError(
                "CERTIFICATE_CHAIN_ORDER",
                f"The certificate chain of seal key '{self.label}', {self.certificate_chain}, is out of order: "
                f"{names[0]} is not issued by {names[1]}. Put the seal certificate first and each issuer after what it "
                "issued.",
            )
        try:
            lower.verify_directly_issued_by(upper)
        except (InvalidSignature, TypeError, ValueError) as error:
            raise SetupError(
                "CERTIFICATE_CHAIN_BROKEN",
                f"The certificate chain of seal key '{self.label}', {self.certificate_chain}, is broken: the signature of "
                f"{names[0]} is not by the key in {names[1]}, which has its issuer's name but another key. Put the "
                "certificate there that the provider sent with this one.",
            ) from error
