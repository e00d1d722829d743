"""What the operator decides about the ledger: the ``[ledger]`` table of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

BACKENDS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


class LedgerSettings(BaseModel):
    """Where the ledger is and how it behaves; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        default="sqlite:///ledger.db",
        repr=False,
        description=(
            "The database: `sqlite:///ledger.db` (a file on a local disk, never on a network share) or "
            "`postgresql://user@host/name` for several replicas. Keep the password out of it: libpq reads PGPASSFILE."
        ),
    )
    upgrade: Literal["automatic", "manual"] = Field(
        default="automatic",
        description=(
            "`automatic`: a start brings an older schema up to date. `manual`: it refuses until the operator has run "
            "`eseal ledger upgrade`. A schema newer than this version is refused either way."
        ),
    )
    busy_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        le=300,
        description="How long a transaction waits for another process's lock before the call answers UNAVAILABLE.",
    )
    claim_lease_seconds: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description=(
            "How long a worker may take from intent to outcome before another one may take the request over. Longer "
            "than the slowest HSM and time-stamp call; a worker seen to be dead is taken over from at once."
        ),
    )
    readers: int = Field(
        default=4,
        ge=1,
        le=64,
        description="Database connections that one worker keeps for reading; writing uses one more.",
    )
    keep_days: int = Field(
        default=3653,
        ge=1,
        description=(
            "How long rows are kept at least (ten years). `eseal ledger retention` deletes older ones; a request id "
            "whose row is gone is a new request."
        ),
    )

    @field_validator("url")
    @classmethod
    def _known_backend(cls, url: str) -> str:
        """Accept SQLite and PostgreSQL, whatever driver is named; the ledger brings its own."""
        try:
            backend = make_url(url).get_backend_name()
        except ArgumentError as error:
            message = "not a database URL, such as sqlite:///ledger.db or postgresql://user@host/name"
            raise ValueError(message) from error
        if backend not in BACKENDS:
            message = f"the ledger knows sqlite and postgresql, not {backend}"
            raise ValueError(message)
        return url
