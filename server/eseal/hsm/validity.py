"""When a seal certificate allows sealing: between notBefore and notAfter (RFC 5280 section 4.1.2.5).

A seal from outside that time would be refused by every verifier, so it is not made; the log warns before the end.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from eseal.errors import SetupError
from eseal.hsm import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.x509 import Certificate

log = structlog.get_logger(__name__)


class Validity:
    """The validity of one key's certificate, by ``clock`` (an aware datetime)."""

    def __init__(self, label: str, certificate: Certificate, warn_days: int, clock: Callable[[], datetime]) -> None:
        self._label = label
        self._begin = certificate.not_valid_before_utc
        self._end = certificate.not_valid_after_utc
        self._warn_from = self._end - timedelta(days=warn_days)
        self._clock = clock
        self._warned_on: date | None = None
        metrics.CERTIFICATE_END.labels(label).set(self._end.timestamp())

    def require(self) -> None:
        """SetupError where the certificate does not allow sealing now."""
        now = self._clock()
        if self._begin <= now <= self._end:
            return
        when = (
            f"is valid only from {self._begin:%Y-%m-%d %H:%M}"
            if now < self._begin
            else f"ended on {self._end:%Y-%m-%d %H:%M}"
        )
        reason = "SEAL_CERTIFICATE_NOT_YET_VALID" if now < self._begin else "SEAL_CERTIFICATE_EXPIRED"
        raise SetupError(
            reason,
            f"The certificate of seal key '{self._label}' {when} UTC, so it cannot seal. Configure the key and certificate "
            "that follow it; `eseal hsm request-certificate` makes the request for one.",
            metadata={"key": self._label},
        )

    def warn(self) -> None:
        """Say once a day that the end is near, or past."""
        now = self._clock()
        if now < self._warn_from or self._warned_on == now.date():
            return
        self._warned_on = now.date()
        log.warning(
            "seal_certificate_ends", key=self._label, not_after=self._end.isoformat(), days=(self._end - now).days
        )
