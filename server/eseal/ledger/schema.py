"""The tables. Rows of ``intent`` and ``outcome`` are written once and never changed.

A row's ``serial`` is its writer's number and its position in that writer's chain in one integer, so a writer knows the
primary key before it inserts and rows are appended in order. Times are microseconds since 1970, UTC. There are no
foreign keys on the two big tables: each would cost an index look-up a row, and ``check`` proves the references anyway.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)

# 2**32 rows in one life of a worker and 2**21 lives keep a serial below 2**53, where JSON numbers are exact.
POSITIONS = 1 << 32
WRITERS = 1 << 21

# As SQL: PostgreSQL takes two placeholders for two values, and would not group by an expression that holds them.
_POSITIONS = literal_column(str(POSITIONS), BigInteger)

# SQLite keeps a table in the order of its INTEGER primary key, without an index beside it; the word matters there.
Serial = BigInteger().with_variant(Integer, "sqlite")


def writer_of(serial: Column[int]) -> ColumnElement[int]:
    """The number of the writer in a serial, as SQL."""
    return serial // _POSITIONS


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# One row for each life of a worker process. `genesis` links the writers to one another, `head_*` is the newest row of
# the writer's chain, and `base_*` the newest one that retention has deleted.
writer = Table(
    "writer",
    metadata,
    Column("number", Serial, primary_key=True, autoincrement=False),
    Column("host", Text, nullable=False),
    Column("process", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("genesis", LargeBinary, nullable=False),
    Column("base_position", BigInteger, nullable=False),
    Column("base_digest", LargeBinary, nullable=False),
    Column("head_position", BigInteger, nullable=False),
    Column("head_digest", LargeBinary, nullable=False),
)

# Bytes that many rows share, once a digest: completions, protected headers, etsiU strings.
material = Table(
    "material",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("used", BigInteger, nullable=False),
)

# By what right a seal is made, and with which key: the same for a whole course.
basis = Table(
    "basis",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("awarding_bodies", Text, nullable=False),
    Column("mandate_ids", Text, nullable=False),
    Column("self_issue", Boolean, nullable=False),
    Column("register_sha256", LargeBinary, nullable=False),
    Column("sealer", Text, nullable=False),
    Column("key_label", Text, nullable=False),
    Column("certificate_sha256", LargeBinary, nullable=False),
    Column("level", Text, nullable=False),
    Column("completion", LargeBinary, nullable=False),
    Column("used", BigInteger, nullable=False),
)

# A request is the SHA-256 of caller and request id (see chain.request_digest).
intent = Table(
    "intent",
    metadata,
    Column("serial", Serial, primary_key=True, autoincrement=False),
    Column("recorded", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("basis", LargeBinary, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("credential_id", Text, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("protected", LargeBinary, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("signing_digest", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index(None, "request", "attempt", unique=True),
    Index(None, "basis"),
)

# `intent` is the serial of the intent that this is the one outcome of; `etsi_u` a JSON array of material digests.
outcome = Table(
    "outcome",
    metadata,
    Column("intent", Serial, primary_key=True, autoincrement=False),
    Column("serial", BigInteger, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("etsi_u", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    CheckConstraint("state IN ('SEALED', 'FAILED', 'ABANDONED')", name="state"),
)

# Seals by mandate, hour (whole hours since 1970, UTC) and writer. Derived from the rows, for quotas; what retention
# deleted is carried forward under hour 0 and writer 0.
tally = Table(
    "tally",
    metadata,
    Column("mandate_id", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True),
    Column("writer", BigInteger, primary_key=True),
    Column("sealed", BigInteger, nullable=False),
)

# What retention did: when, up to which time, and how many rows it deleted.
retention = Table(
    "retention",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("before", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
)
