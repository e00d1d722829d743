"""A run: what is asked for goes to the server, what comes back into the folder."""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import uvloop

from eseal.bulk.folder import REFUSED, SEALED
from eseal_client import EsealError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from eseal.bulk.folder import Folder
    from eseal.bulk.requests import Asked, Spool
    from eseal_client.bulk import BulkRun
    from eseal_client.wire.issuance_pb2 import ItemResult

# A commit waits for the disk: so many results share one wait, unless they are slow to come.
COMMIT_RESULTS: Final = 1000
COMMIT_SECONDS: Final = 2.0
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Tally:
    """How far a run has come."""

    total: int
    there: int = 0
    sealed: int = 0
    refused: int = 0
    stopped: bool = False
    gone: EsealError | OSError | None = None
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """What is not answered yet."""
        return self.total - self.there - self.sealed - self.refused


def run(
    spool: Spool,
    folder: Folder,
    connect: Callable[[Iterator[tuple[str, bytes]]], BulkRun],
    progress: Callable[[Tally], None],
    message: Callable[[Asked], bytes] = attrgetter("body"),
) -> Tally:
    """Ask for everything in ``spool`` that is not in ``folder`` yet. ``message`` makes an item's message when it goes out.

    Ctrl-C and SIGTERM let what is on its way arrive, a second one abandons it; either way the folder stays whole. An
    error that ends the run early is in the tally. ``progress`` is called as results come.
    """
    done = folder.resume(spool)
    tally = Tally(total=len(done), there=sum(done))
    progress(tally)
    if tally.left:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            items = ((item, message(item)) for there, item in zip(done, spool, strict=True) if not there)
            runner.run(_Run(items, folder, tally, progress).run(connect))
    try:
        folder.commit()
        folder.finish()
    except OSError as error:
        tally.gone = tally.gone or error
    tally.sealed, tally.refused = folder.committed[SEALED], folder.committed[REFUSED]
    return tally


class _Run:
    def __init__(
        self,
        items: Iterator[tuple[Asked, bytes]],
        folder: Folder,
        tally: Tally,
        progress: Callable[[Tally], None],
    ) -> None:
        self._items = items
        self._folder = folder
        self._tally = tally
        self._progress = progress
        # What the server has now, by request id: as much as the window allows.
        self._asked: dict[str, Asked] = {}
        self._committed = time.monotonic()

    async def run(self, connect: Callable[[Iterator[tuple[str, bytes]]], BulkRun]) -> None:
        bulk = connect(self._asking())
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()

        def interrupt() -> None:
            if self._tally.stopped and main is not None:
                main.cancel()
            self._tally.stopped = True
            bulk.stop()

        before = {number: signal.getsignal(number) for number in SIGNALS}
        for number in SIGNALS:
            loop.add_signal_handler(number, interrupt)
        with ThreadPoolExecutor(1, thread_name_prefix="folder") as writer:

            async def handle(results: Sequence[ItemResult]) -> None:
                await loop.run_in_executor(writer, self._write, results)
                self._progress(self._tally)

            try:
                await bulk.run(handle)
            except asyncio.CancelledError:
                self._tally.stopped = True
            except (EsealError, OSError) as error:
                self._tally.gone = error
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            # What has arrived is still to be written down, and the status to be told: no second Ctrl-C may stop that.
            signal.signal(number, signal.SIG_IGN if self._tally.stopped else before[number] or signal.SIG_DFL)

    def _asking(self) -> Iterator[tuple[str, bytes]]:
        for item, message in self._items:
            self._asked[item.request_id] = item
            yield item.request_id, message

    def _write(self, results: Sequence[ItemResult]) -> None:
        for result in results:
            item = self._asked.pop(result.request_id)
            if result.HasField("sealed"):
                self._folder.sealed(item, result.sealed.credential_id, result.sealed.sealed)
                self._tally.sealed += 1
            else:
                reason = said(EsealError(result.status))
                self._folder.refused(item, reason)
                self._tally.refused += 1
                self._tally.reasons[reason] = self._tally.reasons.get(reason, 0) + 1
        now = time.monotonic()
        if self._folder.pending >= COMMIT_RESULTS or now - self._committed >= COMMIT_SECONDS:
            self._folder.commit()
            self._committed = time.monotonic()


def said(error: EsealError) -> str:
    """A refusal for results.csv: the stable words, and where; sentences could quote what the row says."""
    broken = [f"{one.subject or '/'} {one.rule}" for one in error.faults]
    broken += [one.rule for one in error.refusals]
    return "; ".join([f"{error.code} {error.reason}".strip(), *dict.fromkeys(broken)])
