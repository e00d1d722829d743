"""Keys that a session could not use when it was opened, while others could: said once, and looked up again later."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eseal.errors import SetupError
    from eseal.hsm.session import SigningSession

log = structlog.get_logger(__name__)


class Refusals:
    """What the keeper knows of them; for its thread alone. ``due`` is when to look the keys up again (monotonic)."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` pass between two looks."""
        self._seconds = seconds
        self._labels: set[str] = set()
        self.due = math.inf

    def tell(self, sessions: Iterable[SigningSession]) -> None:
        """Log once which keys cannot be used, and once that they can again; ``sessions`` are all that are open."""
        refusals: dict[str, SetupError] = {}
        for session in sessions:
            refusals.update(session.refusals)
        for label in refusals.keys() - self._labels:
            log.error("hsm_key_refused", key=label, cause=refusals[label].reason, message=refusals[label].message)
        for label in self._labels - refusals.keys():
            log.info("hsm_key_accepted", key=label)
        self._labels = set(refusals)
        if not refusals:
            self.due = math.inf
        elif self.due == math.inf:
            self.due = time.monotonic() + self._seconds
