from django.db import migrations

from orderhub.events import partitions
from orderhub.events.operations import PlainSql
from orderhub.kernel import clock
from tracking.live_position.retention import FIXES


def split(now):
    months = [partitions.plus_months(partitions.month_of(now), n) for n in range(-1, partitions.AHEAD + 1)]
    return [
        "ALTER TABLE tracking_vehiclefix RENAME TO tracking_vehiclefix_before",
        "CREATE TABLE tracking_vehiclefix (LIKE tracking_vehiclefix_before INCLUDING CONSTRAINTS) PARTITION BY RANGE (at)",
        "CREATE SEQUENCE tracking_vehiclefix_number AS bigint OWNED BY tracking_vehiclefix.id",
        "ALTER TABLE tracking_vehiclefix ALTER COLUMN id SET DEFAULT nextval('tracking_vehiclefix_number')",
        *partitions.default_statements(FIXES),
        *(line for month in months for line in partitions.statements(FIXES, month)),
        # It was made by the migration before, so it is empty.
        "DROP TABLE tracking_vehiclefix_before",
        # A key must hold what the table is split by; nobody refers to a position by its id.
        "ALTER TABLE tracking_vehiclefix ADD CONSTRAINT tracking_vehiclefix_pkey PRIMARY KEY (id, at)",
        "ALTER TABLE tracking_vehiclefix ADD CONSTRAINT tracking_fix_once UNIQUE (device_id, at)",
        "ALTER TABLE tracking_vehiclefix ADD CONSTRAINT tracking_vehiclefix_device_fk FOREIGN KEY (device_id) "
        "REFERENCES tracking_device (id) DEFERRABLE INITIALLY DEFERRED",
    ]


class SplitFixes(PlainSql):
    def __init__(self):
        self.forwards = {"postgresql": split(clock.now())}
        self.backwards = {}  # the table goes with the migration before

    def describe(self):
        return "Split the positions of vehicles by month on PostgreSQL"


class Migration(migrations.Migration):
    replaces = [("tracking", "0005_split_fixes")]
    dependencies = [("tracking", "0002_partitions")]

    operations = [
        SplitFixes(),
    ]
