"""Seals counted by mandate and hour, so that a quota is held without reading a year of rows."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and count what is there already."""
    tally = op.create_table(
        "tally",
        sa.Column("mandate_id", sa.Text, nullable=False),
        sa.Column("hour", sa.BigInteger, nullable=False),
        sa.Column("writer", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("mandate_id", "hour", "writer", name="pk_tally"),
    )
    mandates = {
        row.sha256: json.loads(row.mandate_ids)
        for row in op.get_bind().execute(sa.text("SELECT sha256, mandate_ids FROM basis"))
    }
    # Whole numbers: an hour is 3.6e9 microseconds, a serial is writer * 2**32 + position.
    counted = op.get_bind().execute(
        sa.text(
            "SELECT i.basis, o.recorded / 3600000000 AS hour, o.serial / 4294967296 AS writer, count(*) AS sealed "
            "FROM outcome o JOIN intent i ON i.serial = o.intent WHERE o.state = 'SEALED' "
            "GROUP BY i.basis, o.recorded / 3600000000, o.serial / 4294967296"
        )
    )
    totals: dict[tuple[str, int, int], int] = {}
    for row in counted:
        for mandate_id in mandates[row.basis]:
            place = (mandate_id, row.hour, row.writer)
            totals[place] = totals.get(place, 0) + row.sealed
    rows = [
        {"mandate_id": mandate_id, "hour": hour, "writer": writer, "sealed": sealed}
        for (mandate_id, hour, writer), sealed in totals.items()
    ]
    if rows:
        op.bulk_insert(tally, rows)
