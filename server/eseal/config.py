"""The configuration: one TOML file, read once at start into frozen settings. Unknown keys are refused.

Each room documents its own settings where it defines them; here they are put together. Relative paths are relative to
the file's own folder, so a folder with everything in it can be moved.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from eseal.credential.page import PageSettings
from eseal.errors import SetupError
from eseal.hsm.csc.settings import CscSettings
from eseal.hsm.settings import HsmSettings, SealKeySettings
from eseal.jades.header import ClaimedTime
from eseal.ledger.settings import LedgerSettings
from eseal.rpc.settings import ServerSettings
from eseal.terms import Level

Model = TypeVar("Model", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class MandateSettings(_Frozen):
    """``[mandate]``: where the register is."""

    register_folder: Path = Field(alias="register", description="The folder of the mandate register.")
    reload_seconds: float = Field(
        5.0, ge=0, description="How often the server looks for changed files; 0 means only at start."
    )


class SealSettings(_Frozen):
    """``[seal]``: how seals are made."""

    level: Level = Field(Level.B_B, description="The JAdES level where the caller names none.")
    claimed_time: ClaimedTime = Field(
        ClaimedTime.IAT,
        description="The header that claims the signing time: iat (JAdES since 2025-07-15), or sigT for older viewers.",
    )
    strict_annex_i_on_issue: bool = Field(
        default=True, description="Issue refuses a micro-credential that lacks a mandatory element of Annex I."
    )
    strict_annex_i_on_seal: bool = Field(default=False, description="Seal refuses it too; else it is advice.")
    max_credential_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024,
        description="Largest credential in bytes, its files in Base64: what Seal takes, and what is sealed.",
    )


class TrustSettings(_Frozen):
    """``[trust]``: whom verification trusts."""

    anchors: tuple[Path, ...] = Field((), description="PEM files, or folders of them, with the trusted CAs.")


class LogSettings(_Frozen):
    """``[log]``: JSON lines on standard error; never content."""

    level: str = Field("info", pattern="^(debug|info|warning|error)$", description="The least severe line written.")


class Config(_Frozen):
    """The whole of eseal.toml."""

    server: ServerSettings = Field(description="How the server listens.")
    hsm: HsmSettings | None = Field(default=None, description="The PKCS#11 token with the seal keys, or else `[qscd]`.")
    qscd: CscSettings | None = Field(
        default=None, description="The remote signing service with the seal keys (CSC API), or else `[hsm]`."
    )
    keys: tuple[SealKeySettings, ...] = Field(min_length=1, description="The seal keys.")
    mandate: MandateSettings = Field(description="The mandate register.")
    ledger: LedgerSettings = Field(default_factory=LedgerSettings, description="The ledger's database.")
    seal: SealSettings = Field(default_factory=SealSettings, description="How seals are made.")
    page: PageSettings = Field(default_factory=PageSettings, description="How rendered display pages look.")
    trust: TrustSettings = Field(default_factory=TrustSettings, description="Whom verification trusts.")
    log: LogSettings = Field(default_factory=LogSettings, description="What is logged.")

    @model_validator(mode="after")
    def _one_place_for_keys(self) -> Self:
        if (self.hsm is None) == (self.qscd is None):
            message = "say where the seal keys are: either [hsm] or [qscd]"
            raise ValueError(message)
        return self


def load(path: Path) -> Config:
    """Read the configuration at ``path``; SetupError names each key that is wrong, and the rule."""
    config = _read(path, Config)
    return config.model_copy(update={"ledger": _anchored_url(config.ledger, path.resolve().parent)})


def load_token(path: Path) -> tuple[HsmSettings, tuple[SealKeySettings, ...]]:
    """Read no more than the HSM and the keys, for who still sets them up. SetupError as in ``load``."""
    part = _read(path, _TokenPart)
    if part.hsm is None:
        raise SetupError("NO_TOKEN", f"{path} has no [hsm] table: where a QTSP keeps the key ([qscd]), ask the QTSP.")
    return part.hsm, part.keys


class _TokenPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    hsm: HsmSettings | None = None
    keys: tuple[SealKeySettings, ...] = ()


def _read(path: Path, model: type[Model]) -> Model:
    try:
        config = model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SetupError("CONFIG_UNREADABLE", f"Cannot read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError("CONFIG_NOT_TOML", f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(str(part) for part in fault['loc']) or '(top)'}: {fault['msg']}" for fault in error.errors()
        )
        raise SetupError("CONFIG_INVALID", f"{path} cannot be used:\n{faults}") from error
    return _anchored(config, path.resolve().parent)


def _anchored(model: Model, folder: Path) -> Model:
    """``model`` with every relative path in it taken from ``folder``."""
    return model.model_copy(update={name: _absolute(value, folder) for name, value in model})


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, BaseModel):
        return _anchored(value, folder)
    if isinstance(value, tuple):
        return tuple(_absolute(item, folder) for item in value)
    return value


def _anchored_url(ledger: LedgerSettings, folder: Path) -> LedgerSettings:
    """A relative SQLite file (three slashes) is in the configuration's folder too."""
    prefix = "sqlite:///"
    name = ledger.url.removeprefix(prefix)
    if not ledger.url.startswith(prefix) or name.startswith("/") or name in {"", ":memory:"}:
        return ledger
    return ledger.model_copy(update={"url": f"{prefix}{folder / name}"})
