"""The folder that a run fills: a ``.jsonld`` file for each credential, and results.csv, which says what became of each row.

Whole at every moment: a file is written beside its place, and takes it when its bytes are on the disk; the line that
says so is written after that, in one piece with those of its batch. So a crash leaves files that are complete, and a
results.csv whose last line may be torn, which is then left out. What a crash left beside its place is thrown away.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import fcntl
import hashlib
import io
import mmap
import os
import shutil
from array import array
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote
from zlib import crc32

from eseal.bulk.faults import BadInput, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from eseal.bulk.requests import Asked

RESULTS: Final = "results.csv"
SEALED: Final = "sealed"
REFUSED: Final = "refused"
# Sealed by an earlier run for content that the input no longer has: the credential is out there all the same.
EARLIER: Final = "earlier"
_SUFFIX: Final = ".jsonld"
_LONGEST_NAME: Final = 255
_PARTS: Final = ".part"
_LOCK: Final = ".lock"


class Result(NamedTuple):
    """One line of results.csv. ``content`` stands for what was asked (docs/bulk.md), ``sha256`` is of the file."""

    row: int
    request_id: str
    credential_id: str
    file: str
    status: str
    reason: str
    sha256: str
    content: str

    @staticmethod
    def read(line: str) -> Result | None:
        """The result that ``line`` wrote; None for anything else."""
        try:
            row, *texts = next(csv.reader([line], strict=True))
            return Result._make([int(row), *texts])
        except (ValueError, TypeError, StopIteration, csv.Error):
            return None


HEADINGS: Final = ",".join(Result._fields) + "\n"


def file_name(request_id: str) -> str:
    """The file of a request's credential; what a file name may not hold is percent-encoded."""
    name = quote(request_id, safe="@+=")
    return file_named(f"%2E{name[1:]}" if name.startswith(".") else name)


def file_named(name: str) -> str:
    """A credential's file by this name; where that is too long for a file system, by its beginning and its digest."""
    encoded = name.encode()
    if len(encoded) + len(_SUFFIX) > _LONGEST_NAME:
        end = f"~{hashlib.sha256(encoded).hexdigest()}"
        name = encoded[: _LONGEST_NAME - len(end) - len(_SUFFIX)].decode("utf-8", "ignore") + end
    return name + _SUFFIX


class Folder:
    """The folder of one run; use it as a context manager. One run at a time: a second one gets BadInput.

    OSError where the disk is full or the folder cannot be written; what was committed before stays whole, and
    ``committed`` counts it by status.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts = path / _PARTS
        self._pending: list[Result] = []
        # Files that results.csv names and that are damaged, by request id: empty where they may be another request's. And
        # the requests of them that were sealed again.
        self._damaged: dict[str, str] = {}
        self._mended: set[str] = set()
        self.committed = Counter[str]()

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / _LOCK).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            rule = "Another run is filling this folder right now."
            raise BadInput([Mistake(str(self.path), "folder-in-use", rule)]) from None
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir()
        self._disk = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._parts, ignore_errors=True)
        os.close(self._disk)
        self._lock.close()

    def resume(self, asked: Iterable[Asked]) -> bytearray:
        """Look which of ``asked`` are there and valid, and begin results.csv with those; one byte for each item, 1 for those.

        What is there under the right name with other bytes is asked for again. Until it comes, a line for what was sealed
        earlier keeps saying whose file it is that has those bytes, where its name does not.
        """
        done = bytearray()
        part = self._parts / RESULTS
        with _Earlier(self.path / RESULTS) as earlier, part.open("w", encoding="utf-8") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(Result._fields)
            for item in asked:
                result = earlier.take(item)
                there = result is not None and self._is_there(result)
                if result is not None and there:
                    lines.writerow(result._replace(row=item.row, status=SEALED))
                elif result is not None and self._is_damaged(item, result):
                    self._damaged[item.request_id] = result.file
                    lines.writerow(result._replace(row=item.row, status=EARLIER))
                done.append(there)
            if self._damaged:
                self._spare(earlier.results())
            for result in earlier.left():
                lines.writerow(result._replace(status=EARLIER))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path / RESULTS)
        os.fsync(self._disk)
        return done

    def sealed(self, item: Asked, credential_id: str, content: bytes) -> None:
        """Write a credential beside its place; ``commit`` puts it there."""
        file = self._place(item, content)
        _write(f"{self._parts}/{file}", content)
        digest = hashlib.sha256(content).hexdigest()
        self._pending.append(Result(item.row, item.request_id, credential_id, file, SEALED, "", digest, item.content))

    def refused(self, item: Asked, reason: str) -> None:
        """Note a refusal."""
        self._pending.append(Result(item.row, item.request_id, "", "", REFUSED, reason, "", item.content))

    @property
    def pending(self) -> int:
        """How many results wait for ``commit``."""
        return len(self._pending)

    def commit(self) -> None:
        """Make everything so far durable, then visible, then say so in results.csv."""
        if not self._pending:
            return
        _flush(self._disk)
        here, parts = str(self.path), str(self._parts)
        for result in self._pending:
            if result.file:
                os.replace(f"{parts}/{result.file}", f"{here}/{result.file}")  # noqa: PTH105 - thousands a second
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self._pending)
        with (self.path / RESULTS).open("ab", buffering=0) as file:
            before = os.fstat(file.fileno()).st_size
            try:
                _write_all(file.fileno(), text.getvalue().encode())
                os.fdatasync(file.fileno())
            except OSError:
                # The files are there, and are asked for again; half a line would be worse than none.
                file.truncate(before)
                raise
        self.committed.update(result.status for result in self._pending)
        sealed = {result.request_id for result in self._pending if result.status == SEALED}
        self._mended |= sealed & self._damaged.keys()
        self._pending.clear()

    def finish(self) -> None:
        """Put results.csv into the order of the rows, without the lines of damaged files that are mended."""
        path, part = self.path / RESULTS, self._parts / RESULTS
        with _mapped(path) as content, part.open("wb") as file:
            places = array("Q")
            end = content.find(b"\n") + 1
            file.write(content[:end])
            while end < len(content):
                row = content[end : content.find(b",", end)]
                places.append(int(row) << 40 | end)
                end = content.find(b"\n", end) + 1
            for place in sorted(places):
                begin = place & (1 << 40) - 1
                line = content[begin : content.find(b"\n", begin) + 1]
                if not (self._mended and self._is_mended(line)):
                    file.write(line)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        os.fsync(self._disk)

    def _place(self, item: Asked, content: bytes) -> str:
        """The file of an item: with its content's id in the name where what has its own name now is something else.

        A file that is named by its request, or that results.csv names for it, is nobody else's, and what is wrong in it is
        put right.
        """
        if item.file == file_name(item.request_id):
            return item.file
        if damaged := self._damaged.get(item.request_id):
            return damaged
        try:
            free = (self.path / item.file).read_bytes() == content
        except FileNotFoundError:
            free = True
        return item.file if free else file_named(f"{item.file.removesuffix(_SUFFIX)}.{item.content}")

    def _is_damaged(self, item: Asked, result: Result) -> bool:
        """Whether the file that ``result`` names is still there, in this folder, and not named by its request."""
        plain = "/" not in result.file and result.file.endswith(_SUFFIX)
        return plain and item.file != file_name(item.request_id) and (self.path / result.file).is_file()

    def _spare(self, results: Iterable[tuple[int, Result]]) -> None:
        """Forget the files of damaged ones that a line for another request names too: they may be that one's."""
        owners: dict[str, set[str]] = {file: set() for file in self._damaged.values()}
        for _, one in results:
            if one.file in owners:
                owners[one.file].add(one.request_id)
        self._damaged = {request: file if len(owners[file]) == 1 else "" for request, file in self._damaged.items()}

    def _is_mended(self, line: bytes) -> bool:
        """Whether this line of results.csv is of a damaged file, and another one says what became of its request."""
        result = Result.read(line.decode("utf-8", "replace"))
        return result is not None and result.status == EARLIER and result.request_id in self._mended

    def _is_there(self, result: Result) -> bool:
        try:
            content = (self.path / result.file).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == result.sha256


class _Earlier:
    """What an earlier results.csv says was sealed, found by request id without holding it in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = contextlib.ExitStack()
        self._lines = array("Q")
        self._taken = bytearray()

    def __enter__(self) -> Self:
        self._content = self._open.enter_context(_mapped(self._path))
        marks = array("Q")
        for begin, result in self.results():
            marks.append(crc32(result.request_id.encode()) << 32 | len(self._lines))
            self._lines.append(begin)
        self._taken = bytearray(len(self._lines))
        self._marks = array("Q", sorted(marks))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def take(self, item: Asked) -> Result | None:
        """The result of a request for the same content; the last one where there are several."""
        found = None
        mark = crc32(item.request_id.encode()) << 32
        place = bisect_left(self._marks, mark)
        while place < len(self._marks) and self._marks[place] >> 32 == mark >> 32:
            number = self._marks[place] & 0xFFFFFFFF
            result = self._at(self._lines[number])
            if result is not None and (result.request_id, result.content) == (item.request_id, item.content):
                self._taken[number] = 1
                found = result
            place += 1
        return found

    def left(self) -> Iterator[Result]:
        """What was not taken."""
        for begin, taken in zip(self._lines, self._taken, strict=True):
            result = None if taken else self._at(begin)
            if result is not None:
                yield result

    def results(self) -> Iterator[tuple[int, Result]]:
        """Every sealed line and where it begins; a torn line at the end is none."""
        begin = 0
        while (end := self._content.find(b"\n", begin) + 1) > 0:
            result = self._at(begin)
            if result is not None and result.status in (SEALED, EARLIER):
                yield begin, result
            begin = end

    def _at(self, begin: int) -> Result | None:
        return Result.read(self._content[begin : self._content.find(b"\n", begin)].decode("utf-8", "replace"))


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    """A file's content without reading it; empty where there is none."""
    if not path.exists() or not path.stat().st_size:
        yield b""
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def _write(path: str, content: bytes) -> None:
    """Write a new file, without the objects that would make it twice as slow."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        _write_all(file, content)
    finally:
        os.close(file)


def _write_all(file: int, content: bytes) -> None:
    # A disk that fills up takes a part first; the next write says why.
    while len(content) > (written := os.write(file, content)):
        content = content[written:]


def _flush(folder: int) -> None:
    """Wait until everything written to the folder's file system is on the disk: once a batch, not once a file."""
    if _syncfs is None:
        os.sync()
    elif _syncfs(folder) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
