from django.db import migrations

from orderhub.events import partitions
from orderhub.events.operations import PlainSql
from orderhub.kernel import clock
from tracking.positions import POSITIONS

# Rows are copied: positions are kept for a month only, so there are few.
MONTHS_THAT_ARE = """
DO $$ DECLARE month timestamp; BEGIN
    FOR month IN SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC') FROM tracking_position_before
    LOOP
        IF to_regclass('tracking_position_p' || to_char(month, 'YYYYMM')) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF tracking_position FOR VALUES FROM (%L) TO (%L)',
                           'tracking_position_p' || to_char(month, 'YYYYMM'),
                           month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        END IF;
    END LOOP;
END $$
"""


def split(now):
    months = [partitions.plus_months(partitions.month_of(now), n) for n in range(partitions.AHEAD + 1)]
    columns = "parcel_id, latitude, longitude, occurred_at"
    return [
        "ALTER TABLE tracking_position RENAME TO tracking_position_before",
        "CREATE TABLE tracking_position (LIKE tracking_position_before INCLUDING CONSTRAINTS) "
        "PARTITION BY RANGE (occurred_at)",
        "CREATE SEQUENCE tracking_position_number AS bigint OWNED BY tracking_position.id",
        "ALTER TABLE tracking_position ALTER COLUMN id SET DEFAULT nextval('tracking_position_number')",
        *partitions.default_statements(POSITIONS),
        *(line for month in months for line in partitions.statements(POSITIONS, month)),
        MONTHS_THAT_ARE,
        f"INSERT INTO tracking_position ({columns}) SELECT {columns} FROM tracking_position_before ORDER BY id",
        "DROP TABLE tracking_position_before",
        # A key must hold what the table is split by; nobody refers to a position by its id.
        "ALTER TABLE tracking_position ADD CONSTRAINT tracking_position_pkey PRIMARY KEY (id, occurred_at)",
        "ALTER TABLE tracking_position ADD CONSTRAINT tracking_position_once UNIQUE (parcel_id, occurred_at)",
        "ALTER TABLE tracking_position ADD CONSTRAINT tracking_position_parcel_fk FOREIGN KEY (parcel_id) "
        "REFERENCES fulfillment_parcel (id) DEFERRABLE INITIALLY DEFERRED",
    ]


class SplitPositions(PlainSql):
    reversible = False

    def __init__(self):
        self.forwards = {"postgresql": split(clock.now())}
        self.backwards = {}

    def describe(self):
        return "Split positions by month on PostgreSQL"


class Migration(migrations.Migration):
    replaces = [("tracking", "0003_partitions")]
    dependencies = [("tracking", "0001_start"), ("events", "0003_partitions")]

    operations = [
        SplitPositions(),
    ]
