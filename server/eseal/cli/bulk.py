"""``eseal bulk``: a class list becomes sealed credentials; running it again finishes what was left.

Exit status: 0 everything is sealed; 1 something is refused; 2 misuse, or mistakes in the input (nothing was sent); 3 not
finished (stopped, or the server or the disk was away): run the same command again.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eseal.bulk import checking, running
from eseal.bulk.course import read_course
from eseal.bulk.dates import DateFormat  # noqa: TC001 - typer reads the annotations
from eseal.bulk.faults import BadInput, Mistake
from eseal.bulk.folder import Folder, file_name, file_named
from eseal.bulk.learners import Columns, Person, is_heading
from eseal.bulk.requests import Asked, Spool, course_digest, issue_content, seal_content
from eseal.bulk.table import Table
from eseal.cli.bulk_telling import (
    REFUSED,
    UNFINISHED,
    counted,
    mistakes_told,
    passes,
    progress,
    reading,
    report,
    stoppable,
    summary,
    tell,
)
from eseal.cli.sealing import IdentityFolder, Server  # noqa: TC001 - typer reads the annotations
from eseal.terms import Level
from eseal_client import Client, Connection, EsealError, Identity
from eseal_client import Level as WireLevel
from eseal_client.bulk import BulkRun, issue_item, seal_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eseal_client import MicroCredential

app = typer.Typer(no_args_is_help=True)

LEVELS = {
    None: WireLevel.LEVEL_UNSPECIFIED,
    Level.B_B: WireLevel.LEVEL_B_B,
    Level.B_T: WireLevel.LEVEL_B_T,
    Level.B_LT: WireLevel.LEVEL_B_LT,
    Level.B_LTA: WireLevel.LEVEL_B_LTA,
}

# How it is when Ctrl-C comes.
NOT_SENT, NOT_SEALED, WHOLE = "Nothing was sent.", "Nothing was sealed.", "What is there is whole."

Out = Annotated[
    Path | None, typer.Option("--out", file_okay=False, metavar="DIR", help="Where credentials and results.csv go.")
]
DryRun = Annotated[bool, typer.Option("--check", help="Find every mistake, ask for the mandate, and seal nothing.")]
BatchName = Annotated[
    str,
    typer.Option("--batch-name", help="Part of every request id: the same content under another name is sealed anew."),
]
LevelOption = Annotated[Level | None, typer.Option("--level", help="The JAdES level; else the server's default.")]
Streams = Annotated[int, typer.Option(min=1, max=64, help="Connections to the server.")]
BatchSize = Annotated[int, typer.Option("--batch", min=1, max=1000, help="Items in one message.")]
Window = Annotated[int, typer.Option(min=1, max=64, help="Messages of one connection that are unanswered at once.")]
Patience = Annotated[float, typer.Option(min=1, help="Seconds without any answer after which the run gives up.")]


@app.callback()
def _group() -> None:
    """Class lists and folders, a hundred thousand at a time."""


@app.command()
def issue(
    course: Annotated[
        Path, typer.Option("--course", exists=True, dir_okay=False, help="What is awarded: a course file (TOML).")
    ],
    learners: Annotated[
        Path, typer.Option("--learners", exists=True, dir_okay=False, help="To whom: a class list (CSV, UTF-8).")
    ],
    *,
    identity: IdentityFolder,
    out: Out = None,
    check: DryRun = False,
    server: Server = "localhost:50051",
    batch_name: BatchName = "",
    level: LevelOption = None,
    date_format: Annotated[
        DateFormat | None, typer.Option("--date-format", help="How 03/04/2026 is meant: iso, dmy or mdy.")
    ] = None,
    streams: Streams = 4,
    batch: BatchSize = 200,
    window: Window = 4,
    patience: Patience = 120.0,
) -> None:
    """Issue a course to every learner of a list. Run it again to finish what was left."""
    connection = _connection(server, identity, batch, window, out, check=check)
    with stoppable(NOT_SEALED if check else NOT_SENT), mistakes_told():
        what = read_course(course)
        columns = Columns(Table(learners, is_heading), what, date_format)
        if check:
            _check_issue(course.name, what, columns, level, connection)
        with Spool() as spool:
            with reading(learners):
                _spool_learners(spool, what, columns, batch_name, level)
            start = partial(BulkRun.issuing, connection, what, LEVELS[level], streams=streams, patience=patience)
            _run(spool, out, start)


@app.command()
def seal(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="IN_DIR", exists=True, file_okay=False, help="Credentials (.json, .jsonld), not sealed."
        ),
    ],
    *,
    identity: IdentityFolder,
    out: Out = None,
    check: DryRun = False,
    server: Server = "localhost:50051",
    batch_name: BatchName = "",
    level: LevelOption = None,
    streams: Streams = 4,
    batch: BatchSize = 50,
    window: Window = 4,
    patience: Patience = 120.0,
) -> None:
    """Seal every credential of a folder. Run it again to finish what was left."""
    connection = _connection(server, identity, batch, window, out, check=check)
    with stoppable(NOT_SEALED if check else NOT_SENT), mistakes_told():
        credentials = _credentials(folder, out)
        if check:
            _check_seal(credentials, level, connection)
        with Spool() as spool:
            if mistakes := _spool_credentials(spool, credentials, batch_name, level):
                raise BadInput(mistakes)

            def message(item: Asked) -> bytes:
                data = Path(os.fsdecode(item.body)).read_bytes()
                if seal_content(batch_name, level or "", data) != item.content:
                    raise OSError(errno.EAGAIN, "This file changed while it was waiting", os.fsdecode(item.body))
                return seal_item(item.request_id, data, LEVELS[level])

            start = partial(BulkRun.sealing, connection, streams=streams, patience=patience)
            _run(spool, out, start, message)


@app.command()
def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Where the files go.")] = Path(),
) -> None:
    """Write a course file and a class list to begin with; nothing is written over."""
    names = ("course.toml", "learners.csv")
    there = [str(folder / name) for name in names if (folder / name).exists()]
    if there:
        raise typer.BadParameter(f"{', '.join(there)} is there already.", param_hint="DIR")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(files("eseal.bulk").joinpath("example", name).read_bytes())
    typer.echo(f"eseal bulk issue --course {folder / names[0]} --learners {folder / names[1]} --check --identity …")


def _spool_learners(
    spool: Spool, course: MicroCredential, columns: Columns, batch_name: str, level: Level | None
) -> None:
    """Serialise the whole list; BadInput with every mistake, so that a list with one sends nothing."""
    mistakes: list[Mistake] = []
    digest = course_digest(course)
    for person in columns.people():
        if isinstance(person, list):
            mistakes += person
            continue
        content = issue_content(batch_name, level or "", digest, person.cells)
        request_id = person.request_id or content
        file = file_name(request_id) if person.request_id else f"{content}.jsonld"
        spool.add(Asked(person.row.number, request_id, content, file, issue_item(request_id, person.learner)))
    name = columns.table.name
    mistakes += _repeated(spool, name)
    if not mistakes and not len(spool):
        mistakes.append(_no_rows(name))
    if mistakes:
        raise BadInput(mistakes)


def _spool_credentials(spool: Spool, paths: list[Path], batch_name: str, level: Level | None) -> list[Mistake]:
    """Spool the folder; return which files are the same as others."""
    for number, path in enumerate(paths, 1):
        content = seal_content(batch_name, level or "", path.read_bytes())
        spool.add(Asked(number, content, content, file_named(path.stem), os.fsencode(path)))
    return [
        Mistake(
            paths[item.row - 1].name,
            "file-repeated",
            f"This file asks for the same credential as {paths[first - 1].name}.",
        )
        for item, first in spool.repeated()
    ]


def _repeated(spool: Spool, name: str) -> list[Mistake]:
    return [
        Mistake(name, "row-repeated", f"This row asks for the same credential as row {first}.", item.row)
        for item, first in spool.repeated()
    ]


def _credentials(folder: Path, out: Path | None) -> list[Path]:
    """The files to seal, by name. BadInput where two of them would go into one."""
    if out is not None and out.resolve() == folder.resolve():
        raise typer.BadParameter("The sealed credentials go into another folder.", param_hint="--out")
    suffixes = {".json", ".jsonld"}
    found = (path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    paths = sorted(found, key=lambda path: path.stem)
    if not paths:
        raise BadInput([Mistake(str(folder), "files", "There is no .json or .jsonld file in this folder.")])
    if unnamed := [said for path in paths if (said := _in_utf8(path.name)) != path.name]:
        rule = "This file's name is not UTF-8, so results.csv could not say it: give it another."
        raise BadInput([Mistake(name, "file-name", rule) for name in unnamed])
    twice = [path for before, path in pairwise(paths) if before.stem == path.stem]
    if twice:
        rule = "Another file has this name but for its suffix; both would be sealed into one."
        raise BadInput([Mistake(path.name, "files", rule) for path in twice])
    return paths


def _in_utf8(name: str) -> str:
    """The name of a file, with escapes for bytes of it that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _no_rows(name: str) -> Mistake:
    return Mistake(name, "rows", "There is no learner below the headings.")


def _check_issue(
    course_file: str, course: MicroCredential, columns: Columns, level: Level | None, connection: Connection
) -> None:
    mistakes: list[Mistake] = []
    with Spool() as spool, _client(connection) as client:
        digest = course_digest(course)

        def people() -> Iterator[Person]:
            for person in columns.people():
                if isinstance(person, list):
                    mistakes.extend(person)
                    continue
                content = issue_content("", "", digest, person.cells)
                file = file_name(person.request_id or content)
                spool.add(Asked(person.row.number, person.request_id or content, content, file, b""))
                yield person

        found = checking.check_learners(course_file, course, columns, people(), client.explain)
        found.mistakes += mistakes + _repeated(spool, columns.table.name)
    if not (found.rows or found.mistakes):
        found.mistakes.append(_no_rows(columns.table.name))
    found.mistakes += checking.level_mistakes(level)
    found.mistakes.sort(key=lambda mistake: (mistake.row, mistake.line))
    learners = counted(found.rows + len({one.row for one in mistakes}), "learner")
    report(found, f"{columns.table.name}: {learners}")


def _check_seal(credentials: list[Path], level: Level | None, connection: Connection) -> None:
    found = checking.Check(mistakes=checking.level_mistakes(level))
    with Spool() as spool, _client(connection) as client:
        found.mistakes += _spool_credentials(spool, credentials, "", None)
        for path in credentials:
            checking.check_credential(found, path.name, path.read_bytes(), client.explain)
    report(found, counted(len(credentials), "credential"))


def _run(
    spool: Spool,
    out: Path | None,
    start: Callable[[Iterator[tuple[str, bytes]]], BulkRun],
    message: Callable[[Asked], bytes] = attrgetter("body"),
) -> None:
    """Run, tell how it went, and exit."""
    if out is None:
        raise typer.BadParameter("Say where the credentials go.", param_hint="--out")
    with stoppable(WHOLE):
        with Folder(out) as folder, progress() as show:
            tally = running.run(spool, folder, start, show, message)
        raise typer.Exit(summary(tally, out))


def _connection(server: str, identity: Path, batch: int, window: int, out: Path | None, *, check: bool) -> Connection:
    if out is None and not check:
        raise typer.BadParameter("Say where the credentials go (or --check).", param_hint="--out")
    try:
        who = Identity.from_folder(identity)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="--identity") from None
    return Connection(target=server, identity=who, batch=batch, window=window, check=False)


@contextmanager
def _client(connection: Connection) -> Iterator[Client]:
    """A client for questions; a server that is away, or that does not know us, ends the command."""
    try:
        with Client(connection) as client:
            yield client
    except EsealError as error:
        tell(f"{error.reason or error.code}: {error.message}")
        raise typer.Exit(UNFINISHED if passes(error) else REFUSED) from None
