"""The migration operation that splits the log into monthly partitions on PostgreSQL, and its guards.

The table that exists is attached as the first partition, so no row is copied and all ids stay. From then on
ids carry the month: `months since 2020-01 << 40 | number`, below 2^53 until the year 2702, so that foreign keys
to `id` alone survive and JSON readers keep every digit.
"""

from __future__ import annotations

from datetime import datetime

from orderhub.events import partitions
from orderhub.events.operations import PlainSql, postgresql_trigger
from orderhub.events.partitions import EARLY, EVENTS
from orderhub.kernel import clock

NEXT_ID = """
CREATE FUNCTION events_event_next_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT ((extract(year FROM now() AT TIME ZONE 'UTC')::bigint - 2020) * 12
            + extract(month FROM now() AT TIME ZONE 'UTC')::bigint - 1) << 40
           | nextval('events_event_number')
$$
"""

# Uniqueness of (stream, seq) cannot span partitions, so the head of the stream is the guard: it is locked and
# compared as each event goes in. Who read an old head brings a number that is taken and is refused. A
# transaction writes events and heads in any order: `base` is where the head stood before `moved_by` moved it.
# Lifting `tx` to that of the head keeps (tx, id) in the order of every stream: see `operations`.
EVENT_GUARD = """
CREATE OR REPLACE FUNCTION events_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
    reached integer;
BEGIN
    NEW.tx := pg_current_xact_id();
    SELECT h.seq, h.tx, h.base, h.moved_by INTO head FROM events_streamhead h WHERE h.stream = NEW.stream
        FOR NO KEY UPDATE;
    IF FOUND THEN
        reached := CASE WHEN head.moved_by = pg_current_xact_id() THEN head.base ELSE head.seq END;
        IF NEW.seq <= reached AND NOT EXISTS (SELECT 1 FROM events_maintenance) THEN
            RAISE EXCEPTION 'event % of stream % was written meanwhile, its head is at %',
                NEW.seq, NEW.stream, reached USING ERRCODE = 'unique_violation';
        END IF;
        NEW.tx := GREATEST(NEW.tx, head.tx);
    END IF;
    RETURN NEW;
END $$
"""
HEAD_GUARD = """
CREATE OR REPLACE FUNCTION events_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.tx := pg_current_xact_id();
        NEW.moved_by := pg_current_xact_id();
        NEW.base := 0;
    ELSIF NEW.seq <> OLD.seq OR NEW.hash <> OLD.hash THEN
        IF NEW.seq <= OLD.seq AND NOT EXISTS (SELECT 1 FROM events_maintenance) THEN
            RAISE EXCEPTION 'the head of stream % is at % and cannot go to %', OLD.stream, OLD.seq, NEW.seq
                USING ERRCODE = 'unique_violation';
        END IF;
        NEW.tx := GREATEST(pg_current_xact_id(), OLD.tx);
        IF OLD.moved_by <> pg_current_xact_id() THEN
            NEW.moved_by := pg_current_xact_id();
            NEW.base := OLD.seq;
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

# Names of indexes are unique in a schema, so those of the early table step aside first.
RENAME_INDEXES = """
DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                WHERE i.indrelid = 'events_event_early'::regclass LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', each.relname,
                       replace(each.relname, 'events_event', 'events_event_early'));
    END LOOP;
END $$
"""
# Whoever refers to the log refers to the whole of it afterwards: the same constraints, under the same names.
MOVE_REFERENCES = """
DO $$ DECLARE each record; BEGIN
    CREATE TEMP TABLE moved ON COMMIT DROP AS
        SELECT conrelid::regclass::text AS origin, conname, pg_get_constraintdef(oid) AS definition
        FROM pg_constraint WHERE contype = 'f' AND confrelid = 'events_event_early'::regclass;
    FOR each IN SELECT * FROM moved LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each.origin, each.conname);
    END LOOP;
    ALTER TABLE events_event ATTACH PARTITION events_event_early
        FOR VALUES FROM (MINVALUE) TO (1099511627776);
    FOR each IN SELECT * FROM moved LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', each.origin, each.conname,
                       replace(each.definition, 'events_event_early', 'events_event'));
    END LOOP;
    DROP TABLE moved;
END $$
"""


def _split(now: datetime) -> list[str]:
    early = f"events_event_{EARLY}"
    months = [partitions.plus_months(partitions.month_of(now), n) for n in range(partitions.AHEAD + 1)]
    return [
        f"CREATE SEQUENCE events_event_number AS bigint MAXVALUE {(1 << partitions.MONTH_BITS) - 1} CACHE 1",
        NEXT_ID,
        *(f"DROP TRIGGER {name} ON events_event" for name in ("events_event_no_update", "events_event_no_delete")),
        "DROP TRIGGER events_event_lift_tx ON events_event",
        "DROP FUNCTION events_lift_tx()",
        f"ALTER TABLE events_event RENAME TO {early}",
        RENAME_INDEXES,
        f"ALTER TABLE {early} ALTER COLUMN id DROP IDENTITY IF EXISTS",
        f"CREATE TABLE events_event (LIKE {early} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) "
        "PARTITION BY RANGE (id)",
        "ALTER TABLE events_event ALTER COLUMN id SET DEFAULT events_event_next_id()",
        "ALTER TABLE events_event ADD CONSTRAINT events_event_pkey PRIMARY KEY (id)",
        "CREATE INDEX events_event_tx ON events_event (tx, id)",
        "CREATE INDEX events_event_merchant ON events_event (merchant_id)",
        "ALTER TABLE events_event ADD CONSTRAINT events_event_merchant_fk FOREIGN KEY (merchant_id) "
        "REFERENCES access_merchant (id) DEFERRABLE INITIALLY DEFERRED",
        MOVE_REFERENCES,
        *partitions.default_statements(EVENTS),
        *(line for month in months for line in partitions.statements(EVENTS, month)),
        "ALTER TABLE events_streamhead ADD COLUMN tx xid8 NOT NULL DEFAULT '0', "
        "ADD COLUMN moved_by xid8 NOT NULL DEFAULT '0', ADD COLUMN base integer NOT NULL DEFAULT 0",
        "UPDATE events_streamhead h SET tx = e.tx FROM events_event e "
        "WHERE e.stream = h.stream AND e.seq = h.seq",
        HEAD_GUARD,
        "CREATE TRIGGER events_head_guard BEFORE INSERT OR UPDATE ON events_streamhead "
        "FOR EACH ROW EXECUTE FUNCTION events_head_guard()",
        EVENT_GUARD,
        "CREATE TRIGGER events_event_guard BEFORE INSERT ON events_event "
        "FOR EACH ROW EXECUTE FUNCTION events_event_guard()",
        *(postgresql_trigger("events_event", verb) for verb in ("update", "delete")),
    ]  # fmt: skip


class SplitLog(PlainSql):
    """Turn `events_event` into monthly partitions, the present table being the first; one way only."""

    reversible = False

    def __init__(self) -> None:
        self.forwards = {"postgresql": _split(clock.now())}
        self.backwards = {}

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return "Split the log by month on PostgreSQL"
