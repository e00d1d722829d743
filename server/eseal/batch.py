"""A batch on its way through the stages: who is still under way, and what became of the others.

A stage sees only the items that are still under way. An item that fails is settled with its error and drops out; the
rest go on. So a stage can be written as if nothing ever failed, once for one item or once for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from eseal.errors import EsealError, Internal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
Value = TypeVar("Value")
Next = TypeVar("Next")


class Batch(Generic[Result]):
    """The outcomes of ``size`` items. Values under way are kept by their place in the batch."""

    def __init__(self, size: int) -> None:
        self._outcomes: list[Result | EsealError | None] = [None] * size

    def settle(self, place: int, outcome: Result | EsealError) -> None:
        """Say what became of the item at ``place``; the first word counts."""
        if self._outcomes[place] is None:
            self._outcomes[place] = kept(outcome) if isinstance(outcome, EsealError) else outcome

    def each(self, values: Mapping[int, Value], step: Callable[[Value], Next]) -> dict[int, Next]:
        """Take each value through ``step``; an item whose step raises is settled with the error."""
        following: dict[int, Next] = {}
        for place, value in values.items():
            try:
                following[place] = step(value)
            except EsealError as error:
                self.settle(place, error)
            except Exception as error:  # noqa: BLE001 - a fault of ours in one item must not cost its neighbours
                self.settle(place, _ours(error))
        return following

    def together(
        self, values: Mapping[int, Value], step: Callable[[list[Value]], Sequence[Next | EsealError]]
    ) -> dict[int, Next]:
        """Take all values through ``step`` at once; it answers per item, or raises for all of them."""
        if not values:
            return {}
        answers: Sequence[Next | EsealError]
        try:
            answers = step(list(values.values()))
        except EsealError as error:
            answers = [error] * len(values)
        except Exception as error:  # noqa: BLE001 - the callers of this batch get an answer whatever happens
            answers = [_ours(error)] * len(values)
        following: dict[int, Next] = {}
        for place, answer in zip(values, answers, strict=True):
            if isinstance(answer, EsealError):
                self.settle(place, answer)
            else:
                following[place] = answer
        return following

    def outcomes(self) -> list[Result | EsealError]:
        """What became of each item, in order. Every item must have been settled by now."""
        unsettled = Internal("UNSETTLED", "The service lost track of this item; send it again.")
        return [unsettled if outcome is None else outcome for outcome in self._outcomes]


def kept(error: EsealError) -> EsealError:
    """Return ``error`` without its tracebacks, to be kept as an outcome.

    A traceback holds the frame that keeps the outcomes, and so itself and the whole batch, until the garbage collector comes
    by: megabytes for each refusal.
    """
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _ours(error: Exception) -> Internal:
    """Keep the cause in the log and answer coarsely: an unforeseen exception may quote learner data."""
    log.error("unforeseen_failure", error_type=type(error).__name__, exc_info=_without_values(error))
    answer = Internal("INTERNAL", "The service failed on this item; the operator's log has the cause.")
    answer.__cause__ = error
    return answer


def _without_values(error: Exception) -> tuple[type[Exception], Exception, object]:
    """The traceback without the exception's own text, which may hold what the caller sent."""
    bare = RuntimeError(type(error).__name__)
    return (RuntimeError, bare, error.__traceback__)
