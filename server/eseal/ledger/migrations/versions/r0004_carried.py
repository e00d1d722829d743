"""What retention deletes is carried forward in the tally, which says of the rows that are there just what they say."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

tally = sa.table(
    "tally",
    sa.column("mandate_id", sa.Text),
    sa.column("hour", sa.BigInteger),
    sa.column("writer", sa.BigInteger),
    sa.column("sealed", sa.BigInteger),
)


def upgrade() -> None:
    """Count the rows again; what the tally has beyond them was deleted by retention, where that ever ran."""
    told = {(row.mandate_id, row.hour, row.writer): row.sealed for row in op.get_bind().execute(sa.select(tally)).all()}
    rows = _counted()
    carried: Counter[tuple[str, int, int]] = Counter()
    if op.get_bind().execute(sa.text("SELECT count(*) FROM retention")).scalar_one():
        for place, sealed in told.items():
            if sealed > rows[place]:
                carried[place[0], 0, 0] += sealed - rows[place]
    op.execute(sa.delete(tally))
    for (mandate_id, hour, writer), sealed in (rows + carried).items():
        op.execute(sa.insert(tally).values(mandate_id=mandate_id, hour=hour, writer=writer, sealed=sealed))


def _counted() -> Counter[tuple[str, int, int]]:
    """Count the seals by mandate, hour (3.6e9 microseconds) and writer (a serial is writer * 2**32 + position)."""
    mandates = {
        row.sha256: json.loads(row.mandate_ids)
        for row in op.get_bind().execute(sa.text("SELECT sha256, mandate_ids FROM basis"))
    }
    found = op.get_bind().execute(
        sa.text(
            "SELECT i.basis, o.recorded / 3600000000 AS hour, o.serial / 4294967296 AS writer, count(*) AS sealed "
            "FROM outcome o JOIN intent i ON i.serial = o.intent WHERE o.state = 'SEALED' "
            "GROUP BY i.basis, o.recorded / 3600000000, o.serial / 4294967296"
        )
    )
    sealed: Counter[tuple[str, int, int]] = Counter()
    for row in found:
        for mandate_id in mandates[row.basis]:
            sealed[mandate_id, row.hour, row.writer] += row.sealed
    return sealed
