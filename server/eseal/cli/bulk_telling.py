"""What ``eseal bulk`` says: a bar for a person, one sentence for a script, and every mistake by its place."""

from __future__ import annotations

import signal
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from eseal.bulk.faults import BadInput
from eseal.bulk.folder import RESULTS
from eseal.bulk.running import SIGNALS
from eseal_client import EsealError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from eseal.bulk.checking import Check
    from eseal.bulk.faults import Mistake
    from eseal.bulk.running import Tally

MOST_SHOWN = 100
MOST_REASONS = 10
REFUSED, MISTAKES, UNFINISHED = 1, 2, 3


def reading(path: Path) -> AbstractContextManager[object]:
    """A sign of life for a person, while a long list is read."""
    console = Console(stderr=True)
    return console.status(f"Reading {escape(path.name)}") if sys.stderr.isatty() else nullcontext()


@contextmanager
def progress() -> Iterator[Callable[[Tally], None]]:
    """A bar for a person; nothing for a log."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}/s"),
        TextColumn("[red]{task.fields[refused]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=10) as bar:
        task = bar.add_task("", rate="…", refused="", total=None)

        def show(tally: Tally) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                task,
                total=tally.total,
                completed=tally.total - tally.left,
                rate=f"{speed:.0f}" if speed else "…",
                refused=f"{tally.refused} refused" if tally.refused else "stopping" if tally.stopped else "",
            )

        yield show


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Print the mistakes of the input, one a line, and exit."""
    try:
        yield
    except BadInput as error:
        _tell_mistakes(error.mistakes)
        raise typer.Exit(MISTAKES) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        tell(f"{place}{error.strerror}. What is there is whole; run the same command again to go on.")
        raise typer.Exit(UNFINISHED) from None


@contextmanager
def stoppable(how_it_is: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the command with ``how_it_is`` for a sentence; what follows them changes nothing."""
    # Python makes a KeyboardInterrupt of Ctrl-C; the same of SIGTERM, unless whoever started us wants it otherwise.
    ours = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        ours = False
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        tell(f"Stopped. {how_it_is} Run the same command again.")
        raise typer.Exit(UNFINISHED) from None
    finally:
        if ours and signal.getsignal(signal.SIGTERM) is signal.default_int_handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _tell_mistakes(mistakes: Sequence[Mistake]) -> None:
    for mistake in mistakes[:MOST_SHOWN]:
        tell(str(mistake))
    more = len(mistakes) - MOST_SHOWN
    tell(f"{counted(len(mistakes), 'mistake')}{f', the last {more} not shown' if more > 0 else ''}. Nothing was sent.")


def counted(number: int, thing: str) -> str:
    """So many things: 1 learner, 2 learners."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def tell(sentence: str) -> None:
    """Say something on standard error, as it is."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, markup=False)


def report(found: Check, what: str) -> None:
    """Print what a dry run found, and exit."""
    if found.mistakes:
        _tell_mistakes(found.mistakes)
    if found.gone is not None:
        tell(f"The mandate could not be asked. {found.gone.reason or found.gone.code}: {found.gone.message}")
    if found.mistakes:
        raise typer.Exit(MISTAKES)
    if found.gone is not None:
        raise typer.Exit(UNFINISHED if passes(found.gone) else REFUSED)
    console = Console(highlight=False, soft_wrap=True)
    refused = False
    for explanation in found.explanations:
        answer = explanation.answer
        if answer.granted:
            mandates = ", ".join(answer.mandate_ids) or "none needed: sealed for itself"
            console.print(f"mandate: {mandates} (row {explanation.row} and those like it)", markup=False)
        for refusal in answer.refusals:
            refused = True
            place = f"row {explanation.row} and those like it"
            console.print(f"{place}: [{refusal.rule}] {refusal.message}", markup=False)
    for short in found.shortages():
        refused = True
        sentence = f"mandate {short.mandate_id} has room for {short.room} of {counted(short.rows, 'row')}"
        console.print(f"[{short.rule}] {sentence}; what is sealed already takes none.", markup=False)
    console.print(f"{what}, no mistake{', but the mandate policy refuses' if refused else ''}. Nothing was sealed.")
    raise typer.Exit(REFUSED if refused else 0)


def summary(tally: Tally, out: Path) -> int:
    """Say how a run went; return the exit status."""
    there = f" ({tally.there} were there already)" if tally.there else ""
    refused = f", {tally.refused} refused" if tally.refused else ""
    left = f", {tally.left} left" if tally.left else ""
    typer.echo(f"{tally.there + tally.sealed} sealed{there}{refused}{left}: {out / RESULTS}")
    for reason, count in sorted(tally.reasons.items(), key=lambda one: -one[1])[:MOST_REASONS]:
        tell(f"  {count} × {reason}")
    if isinstance(tally.gone, EsealError):
        tell(f"{tally.gone.reason or tally.gone.code}: {tally.gone.message}")
        for violation in (*tally.gone.faults, *tally.gone.refusals):
            tell(f"  {violation.subject or '/'} [{violation.rule}] {violation.message}")
    elif tally.gone is not None:
        tell(f"{tally.gone.filename or out}: {tally.gone.strerror}.")
    if tally.gone is not None and isinstance(tally.gone, EsealError) and not passes(tally.gone):
        return REFUSED
    if tally.left:
        tell("Not finished. Run the same command again to go on: nothing is lost, and nothing is sealed twice.")
        return UNFINISHED
    return REFUSED if tally.refused else 0


def passes(error: EsealError) -> bool:
    """Whether the same command can succeed later without anybody changing the request."""
    return error.code in {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN"}
