"""What retention deleted is on record."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "retention",
        sa.Column("at", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("before", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("at", name="pk_retention"),
    )
