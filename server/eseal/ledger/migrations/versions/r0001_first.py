"""The first schema: writers, shared material and bases, intents and outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create all tables. What the columns mean is said in eseal.ledger.schema."""
    op.create_table(
        "writer",
        sa.Column("number", _SERIAL, nullable=False, autoincrement=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("genesis", sa.LargeBinary, nullable=False),
        sa.Column("base_position", sa.BigInteger, nullable=False),
        sa.Column("base_digest", sa.LargeBinary, nullable=False),
        sa.Column("head_position", sa.BigInteger, nullable=False),
        sa.Column("head_digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_writer"),
    )
    op.create_table(
        "material",
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_material"),
    )
    op.create_table(
        "basis",
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("awarding_bodies", sa.Text, nullable=False),
        sa.Column("mandate_ids", sa.Text, nullable=False),
        sa.Column("self_issue", sa.Boolean, nullable=False),
        sa.Column("register_sha256", sa.LargeBinary, nullable=False),
        sa.Column("sealer", sa.Text, nullable=False),
        sa.Column("key_label", sa.Text, nullable=False),
        sa.Column("certificate_sha256", sa.LargeBinary, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("completion", sa.LargeBinary, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_basis"),
    )
    op.create_table(
        "intent",
        sa.Column("serial", _SERIAL, nullable=False, autoincrement=False),
        sa.Column("recorded", sa.BigInteger, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("claimed_until", sa.BigInteger, nullable=False),
        sa.Column("basis", sa.LargeBinary, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("content_sha256", sa.LargeBinary, nullable=False),
        sa.Column("credential_id", sa.Text, nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.Column("protected", sa.LargeBinary, nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary, nullable=False),
        sa.Column("signing_digest", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_intent"),
    )
    op.create_index("ix_intent_request_attempt", "intent", ["request", "attempt"], unique=True)
    op.create_index("ix_intent_basis", "intent", ["basis"])
    op.create_table(
        "outcome",
        sa.Column("intent", _SERIAL, nullable=False, autoincrement=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("recorded", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("etsi_u", sa.Text, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("intent", name="pk_outcome"),
        sa.CheckConstraint("state IN ('SEALED', 'FAILED', 'ABANDONED')", name="ck_outcome_state"),
    )
