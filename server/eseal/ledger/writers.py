"""Who writes: one writer for each life of a worker process, and whether that life is over.

Seeing that a worker is dead only saves waiting for its lease. A wrong guess costs a signature that is thrown away,
never a second seal, because an attempt has one outcome whoever writes it.
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from eseal.errors import SetupError, Unavailable
from eseal.ledger.chain import Chain, genesis
from eseal.ledger.schema import POSITIONS, WRITERS, writer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


def host_name() -> str:
    """This machine, and this boot of it where the system tells: process numbers mean nothing beyond."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{platform.node()}/{boot}"


def process_name(pid: int) -> str:
    """Process ``pid`` of this machine, told apart from a later one of the same number; empty if there is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass  # It lives, and belongs to somebody else.
    started = ""
    with suppress(OSError):
        # Field 22 of proc(5) stat is the start time; the name in field 2 may hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        if fields[0] in "ZX":
            return ""
        started = fields[19]
    return f"{pid}/{started}"


def register(connection: Connection) -> Chain:
    """Begin a new chain for this process, in the transaction that writes its first rows."""
    last = connection.execute(
        select(writer.c.number, writer.c.genesis).order_by(writer.c.number.desc()).limit(1)
    ).one_or_none()
    number = last.number + 1 if last else 1
    if number >= WRITERS:
        raise SetupError("LEDGER_FULL", "The ledger has no writer numbers left: start a new database.")
    host, process, started = host_name(), process_name(os.getpid()), time.time_ns() // 1000
    first = genesis(last.genesis if last else b"", number=number, host=host, process=process, started=started)
    connection.execute(
        insert(writer).values(
            number=number,
            host=host,
            process=process,
            started=started,
            genesis=first,
            base_position=0,
            base_digest=first,
            head_position=0,
            head_digest=first,
        )
    )
    return Chain(number, 0, first)


# Built once: a statement takes SQLAlchemy longer to build than SQLite to run.
_MOVE_HEAD = (
    update(writer)
    .where(writer.c.number == bindparam("number_"), writer.c.head_digest == bindparam("from_digest"))
    .values(head_position=bindparam("to_position"), head_digest=bindparam("to_digest"))
)


def move_head(connection: Connection, before: Chain, after: Chain) -> None:
    """Note the chain's new end. Raise Unavailable if the database does not have the end that this process wrote last.

    That happens when an earlier commit's fate was unknown, or when the database was put back from a copy.
    """
    moved = connection.execute(
        _MOVE_HEAD,
        {
            "number_": before.writer,
            "from_digest": before.digest,
            "to_position": after.position,
            "to_digest": after.digest,
        },
    )
    if moved.rowcount != 1:
        raise Unavailable(
            "LEDGER_CHAIN_MOVED", "The ledger changed behind this worker, so nothing was sealed. Try again."
        )


def dead_writers(connection: Connection, serials: Iterable[int]) -> set[int]:
    """Which writers of these serials are processes of this machine that run no more."""
    numbers = {serial // POSITIONS for serial in serials}
    rows = connection.execute(
        select(writer.c.number, writer.c.process).where(writer.c.number.in_(numbers), writer.c.host == host_name())
    )
    return {row.number for row in rows if process_name(int(row.process.partition("/")[0])) != row.process}
