"""Values by which people are looked for, in a table of their own where the database has no index into lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "scim_0002"
down_revision = "scim_0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SINGLE = ("display_name", "name.family_name", "enterprise.employee_number")
#: What stands in lists, and what stands alone, of the keys of one row of people.
VALUES = (
    "SELECT NEW.number, listed.key, json_extract(entry.value, '$.value') "
    "FROM json_each(NEW.keys) AS listed, "
    "json_each(CASE listed.type WHEN 'array' THEN listed.value ELSE '[]' END) AS entry "
    "WHERE entry.type = 'object' AND json_extract(entry.value, '$.value') IS NOT NULL"
) + "".join(
    f" UNION ALL SELECT NEW.number, '{path}', json_extract(NEW.keys, '$.{path}') "
    f"WHERE json_extract(NEW.keys, '$.{path}') IS NOT NULL"
    for path in SINGLE
)


def upgrade() -> None:
    op.create_table(
        "rse_scim_value",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", KEY, nullable=False),
        sa.Column("path", sa.String(60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rse_scim_value"),
        sa.ForeignKeyConstraint(
            ["number"], ["rse_scim_user.number"], name="fk_rse_scim_value_number", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_rse_scim_value_number", "rse_scim_value", ["number"])
    op.create_index("ix_rse_scim_value_path", "rse_scim_value", ["path", "value", "number"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER rse_scim_value_new AFTER INSERT ON rse_scim_user BEGIN "
            f"INSERT INTO rse_scim_value (number, path, value) {VALUES}; END"
        )
        op.execute(
            "CREATE TRIGGER rse_scim_value_changed AFTER UPDATE OF keys ON rse_scim_user BEGIN "
            "DELETE FROM rse_scim_value WHERE number = OLD.number; "
            f"INSERT INTO rse_scim_value (number, path, value) {VALUES}; END"
        )
        # Whoever is there already is listed by the same words.
        op.execute("UPDATE rse_scim_user SET keys = keys")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER rse_scim_value_new")
        op.execute("DROP TRIGGER rse_scim_value_changed")
    op.drop_table("rse_scim_value")
