"""How a server closes: calls under way end, new ones are told to come again, and only then the port goes.

gRPC alone resets what arrives in the moment in which it closes: the client sees CANCELLED and cannot tell why.
"""

from __future__ import annotations

import asyncio
import time

from eseal.errors import Unavailable

# Who calls one time after the other does so within this time; the port closes when nobody did, and after a second also
# where some go on: they wait for the next start.
QUIET_SECONDS = 0.3
MOST_SECONDS = 1.0
_RETRY_SECONDS = 1.0


class Doors:
    """Whether calls are taken. For the event loop's thread."""

    def __init__(self) -> None:
        self._closing = False
        self._last_call = 0.0

    def enter(self) -> None:
        """Let a call in. Unavailable where the server is stopping."""
        self._last_call = time.monotonic()
        if self._closing:
            raise Unavailable(
                "SERVER_STOPPING",
                "This server is stopping and takes no new calls. Nothing was sealed; send the call again.",
                retry_after=_RETRY_SECONDS,
            )

    async def close(self, grace: float) -> float:
        """Refuse every call from now on, and wait until none comes; return what is left of the ``grace`` (seconds)."""
        self._closing = True
        end = time.monotonic() + grace
        closed = min(end, time.monotonic() + MOST_SECONDS)
        while (wait := min(self._last_call + QUIET_SECONDS, closed) - time.monotonic()) > 0:  # noqa: ASYNC110 (time is what is waited for)
            await asyncio.sleep(wait)
        return max(0.0, end - time.monotonic())
