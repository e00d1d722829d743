"""The bookkeeping of a bulk run, apart from any transport: what was sent, what is unanswered, what goes out again.

A run is one or more rounds. A round streams what has not been answered yet; an item that came back UNAVAILABLE, or was
on its way when a stream broke, goes out again in the next round with the same request id.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from eseal_client.errors import EsealError
from eseal_client.messages import filled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Item = TypeVar("Item")


class Rounds(Generic[Item]):
    """``items`` are (request id, item) pairs, read only as fast as they can be sent."""

    def __init__(self, items: Iterable[tuple[str, Item]], *, batch: int, attempts: int) -> None:
        self._source = iter(items)
        self._batch = batch
        self._attempts = attempts
        self._unanswered: dict[str, Item] = {}
        # What goes out again: in this round, and in the next one.
        self._due: dict[str, Item] = {}
        self._again: dict[str, Item] = {}
        self._failures = 0
        self._retry_after = 0.0
        self._exhausted = False
        # How many items each message of this round has that is not answered as a whole, and how many answers came since.
        self._messages: deque[int] = deque()
        self._answers = 0

    def batches(self) -> Iterator[list[tuple[str, Item]]]:
        """The batches of one round: first what goes out again, then what is new."""
        self._due.update(self._again)
        self._again.clear()
        self._messages.clear()
        self._answers = 0
        while due := filled(iter(self._due.items()), most=self._batch):
            for request_id, _ in due:
                del self._due[request_id]
            yield self._sent(due)
        while new := filled(self._source, most=self._batch):
            yield self._sent(new)
        self._exhausted = True

    def answered(self, request_id: str, outcome: object) -> bool:
        """Note an answer; False where it is to be kept back because the item goes out again."""
        item = self._unanswered.pop(request_id, None)
        if item is None or not isinstance(outcome, EsealError) or not outcome.passes:
            return True
        if self._failures >= self._attempts:
            return True
        self._again[request_id] = item
        self._retry_after = max(self._retry_after, outcome.retry_after or 0.0)
        return False

    def room(self, answers: int) -> int:
        """For how many messages so many more answers make room: a message may be answered in parts."""
        self._answers += answers
        room = 0
        while self._messages and self._answers >= self._messages[0]:
            self._answers -= self._messages.popleft()
            room += 1
        return room

    def broken(self, error: EsealError) -> None:
        """A stream broke: what was on its way goes out again, or the error is raised where that cannot help."""
        if not error.passes or self._failures >= self._attempts:
            raise error
        self._retry_after = max(self._retry_after, error.retry_after or 0.0)

    def pause(self) -> float | None:
        """End a round: seconds to wait before the next one; None where everything is answered."""
        self._again.update(self._unanswered)
        self._unanswered.clear()
        if self._exhausted and not self._again and not self._due:
            return None
        self._failures += 1
        seconds = max(self._retry_after, 0.2 * 2**self._failures) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        self._retry_after = 0.0
        return min(seconds, 30.0)

    def _sent(self, part: list[tuple[str, Item]]) -> list[tuple[str, Item]]:
        self._unanswered.update(part)
        self._messages.append(len(part))
        return part
