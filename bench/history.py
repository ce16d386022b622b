"""Years of orders in minutes: a few hundred real ones, cloned by SQL into every table that grew with them.

Not a bench itself. `Template` makes the real orders (from the API to the doorstep, parcels, positions, carbon figures
and all), notes which tables grew and checks that it can clone each of them; `clone` then adds copies that lie further
and further in the past: their ids lie below, their moments before those of the template, and references among clones
lead to clones. What the hub forgets after a month (deliveries that are done, positions) is cloned for a month only.
"""

from __future__ import annotations

import io
import json
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any
from unittest import mock

from orderhub.events import partitions

#: Where serial numbers start before the template is made, so that clones have room below.
FIRST_ID = 200_000_000
#: Documents above this many bytes are left empty in far history: nothing of what is measured reads them.
LONG_DOCUMENT = 250
CODE, KEY = "growth", "bench-only-growth"
#: The number below the month in an event's id.
LOW = "({} & ((1::bigint << 40) - 1))"
#: Tables that grow with something else than orders: with days, articles, readers of the log, merchants.
OTHERWISE = {
    "inventory_warehouseday", "inventory_promisable", "inventory_movementcursor", "events_cursor", "carbon_carbonhead",
}  # fmt: skip
#: What the hub keeps for 30 days only: events.retention, tracking.positions.
MONTH_ONLY = {"events_delivery", "tracking_position"}
MONTH = timedelta(days=30)


@dataclass(slots=True)
class Grown:
    """A table that grew with the template's orders: the rows that are the template's, and the span of their ids."""

    model: Any
    rows: int
    where: str = "true"
    first: int = 0
    stride: int = 0

    @property
    def table(self) -> str:
        """Its name."""
        return str(self.model._meta.db_table)


@dataclass(slots=True)
class Template:
    """So many real orders that went their whole way, and how the tables grew."""

    orders: int
    shop: Any
    step: timedelta
    grown: dict[str, Grown] = field(default_factory=dict)
    clones: int = 0
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    apart: set[date] = field(default_factory=set)


def run(statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement; its rows, if it has any."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        return cursor.fetchall() if cursor.description else []


def models() -> list[Any]:
    """Every model with a table."""
    from django.apps import apps

    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


# ---- real orders ---------------------------------------------------------------------------------


def bodies(shop: Any, count: int, *, tag: str) -> Iterator[dict[str, Any]]:
    """Orders of 1 to 4 lines to the demo's cities, as a caller sends them."""
    from bench import pipeline

    for number, draft in enumerate(pipeline.drafts(shop, count, first=random.Random(tag).randrange(10**6))):
        yield {
            "external_id": f"{tag}-{number:06}", "paid": True, "currency": "CNY", "service": draft.service,
            "green": draft.green,
            "destination": {
                "country": "CN", "province": draft.province, "city": draft.city, "district": draft.district,
                "address": draft.address, "name": draft.name, "phone": f"{random.Random(tag + str(number)).random():.11f}"[2:],
            },
            "lines": [{"sku": x.sku.code, "quantity": 1, "unit_price": str(x.unit_price)} for x in draft.lines],
        }  # fmt: skip


def post(shop: Any, count: int, *, tag: str) -> None:
    """Send orders to the API within this process, each with its Idempotency-Key."""
    from orderhub import asgi

    web: Any = asgi.application.application_mapping["http"]
    for order in list(bodies(shop, count, tag=tag)):
        body = json.dumps(order).encode()
        headers = {
            "host": "localhost", "content-type": "application/json", "authorization": f"Api-Key {KEY}",
            "idempotency-key": order["external_id"],
        }  # fmt: skip
        scope = {
            "type": "http", "method": "POST", "path": "/api/v1/orders/", "query_string": b"", "scheme": "http",
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("localhost", 80), "root_path": "",
        }  # fmt: skip
        answer = web._answer(scope, io.BytesIO(body), len(body))
        if answer.status_code != 201:
            raise SystemExit(f"{answer.status_code} {answer.content[:300]!r}")


def template(orders: int, *, step: timedelta) -> Template:
    """Make the shop and its first orders, from the API to the doorstep, ended just now; fresh database needed."""
    from bench import pipeline
    from orderhub.access import services as access
    from orderhub.kernel import clock
    from tests import make

    shop = pipeline.seed(units=100_000_000)
    access.issue_key(shop, name="bench", key=KEY)
    for (name,) in run("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"):
        run(f"ALTER SEQUENCE {name} RESTART WITH {FIRST_ID}")
    found = Template(orders, shop, step)
    before = _counts()
    time = make.Clock(datetime.now(UTC) - timedelta(days=1))
    with mock.patch.object(clock, "now", time.now):
        post(shop, orders, tag="first")
        make.play(time)
    after = _counts()
    _note(found, before, after)
    return found


def _counts() -> dict[Any, int]:
    return {model: model._base_manager.count() for model in models()}


def _note(found: Template, before: dict[Any, int], after: dict[Any, int]) -> None:
    run("CREATE SCHEMA template")
    for model, count in after.items():
        rows, name = count - before[model], model._meta.db_table
        if rows <= 0 or name in OTHERWISE:
            continue
        grown = found.grown[name] = Grown(model, rows)
        if _is_numbered(model):
            number = LOW if name == "events_event" else "id"
            grown.where = f"{number.format('id')} >= {FIRST_ID}"
        elif name == "events_streamhead":
            grown.where = "stream LIKE 'order:%%'"
        ((mine, first, last),) = run(
            f"SELECT count(*), min({number.format('id')}), max({number.format('id')}) FROM {name} WHERE {grown.where}"
            if _is_numbered(model) else f"SELECT count(*), 0, 0 FROM {name} WHERE {grown.where}"
        )  # fmt: skip
        if mine < rows and name != "events_streamhead":
            raise SystemExit(f"{name}: {rows} rows came, {mine} of them can be told apart")
        grown.rows, grown.first, grown.stride = mine, first, last - first + 1
        run(f"CREATE TABLE template.{name} AS SELECT * FROM {name} WHERE {grown.where}")


def _is_numbered(model: Any) -> bool:
    return model._meta.pk.get_internal_type() in ("AutoField", "BigAutoField")


# ---- cloning -------------------------------------------------------------------------------------


def expressions(found: Template, grown: Grown, *, thin: bool) -> dict[str, str]:
    """For each column of the table the expression that gives the clone's; k counts clones, 1 is the newest."""
    from django.db import models as kinds

    meta = grown.model._meta
    strings = _unique_texts(found, grown)
    made = {}
    for column in meta.concrete_fields:
        name = f't."{column.column}"'
        target = column.related_model._meta.db_table if column.is_relation else ""
        kind = column.target_field if column.is_relation else column
        if column.column == "event_id" or (meta.db_table == "events_event" and column.primary_key):
            made[column.column] = _event_id(found, name)
        elif column.column in ("stream", "reference"):
            made[column.column] = _stream(found, name)
        elif isinstance(kind, kinds.UUIDField):
            shifts = not target or target in found.grown
            made[column.column] = f"md5({name}::text || ':' || k)::uuid" if shifts else name
        elif target in found.grown:
            own = found.grown[target]
            while own.model._meta.pk.is_relation:
                own = found.grown[own.model._meta.pk.related_model._meta.db_table]
            made[column.column] = (
                f"CASE WHEN {name} >= {own.first} THEN {name} - k * {own.stride} ELSE {name} END"
            )
        elif column.column == "order_id":  # an order by its number alone
            made[column.column] = f"{name} - k * {found.grown['orders_order'].stride}"
        elif column.primary_key:
            made[column.column] = f"{name} - k * {grown.stride}"
        elif isinstance(column, kinds.DateTimeField):
            made[column.column] = f"{name} - k * interval '{found.step.total_seconds()} s'"
        elif isinstance(column, kinds.DateField):
            made[column.column] = f"({name} - k * interval '{found.step.total_seconds()} s')::date"
        elif column.column == "share_hash":
            made[column.column] = f"md5({name} || k) || md5(k || {name})"
        elif column.column in strings or (meta.db_table == "orders_person" and column.column == "phone"):
            made[column.column] = f"{name} || '~' || k"
        elif meta.db_table == "carbon_ledgerentry" and column.column == "seq":
            made[column.column] = f"{name} + k * {grown.rows}"
        elif thin and isinstance(column, kinds.JSONField):
            made[column.column] = (
                f"CASE WHEN pg_column_size({name}) <= {LONG_DOCUMENT} THEN {name} "
                f"WHEN jsonb_typeof({name}) = 'array' THEN '[]' ELSE '{{}}' END"
            )
        elif thin and column.column == "prev_hash":
            made[column.column] = "''"
        else:
            made[column.column] = name
    if meta.db_table == "events_event":
        # Streams of connections and stock go on for ever: their clones take numbers far above.
        made["seq"] = "CASE WHEN t.stream LIKE 'order:%%' THEN t.seq ELSE t.seq + 1000000 + k * 10000 END"
    return made


def _unique_texts(found: Template, grown: Grown) -> set[str]:
    """Text columns that must differ although nothing else in their unique key does."""
    meta = grown.model._meta
    keys = [list(constraint.fields) for constraint in meta.constraints if getattr(constraint, "fields", None)]
    keys += [[column.name] for column in meta.concrete_fields if column.unique and not column.primary_key]
    chosen = set()
    for key in keys:
        columns = [meta.get_field(name) for name in key]
        moves = any(c.is_relation and c.related_model._meta.db_table in found.grown for c in columns)
        texts = [c.column for c in columns if c.get_internal_type() == "CharField"]
        if not moves and texts and texts[-1] not in ("stream", "share_hash"):
            chosen.add(texts[-1])
    return chosen


def _stream(found: Template, name: str) -> str:
    shifted = f"'order:' || (substr({name}, 7)::bigint - k * {found.grown['orders_order'].stride})"
    return f"CASE WHEN {name} LIKE 'order:%%' THEN {shifted} ELSE {name} END"


def _event_id(found: Template, name: str) -> str:
    """The clone's month above, a number of its own below."""
    return f"({{month}}::bigint << 40) + {LOW.format(name)} - k * {found.grown['events_event'].stride}"


def month_of(found: Template, clone: int) -> date:
    """The month a clone lies in."""
    return (found.made_at - clone * found.step).date().replace(day=1)


def clone(found: Template, up_to: int, *, thin: bool) -> None:
    """Add clones until there are so many; `thin` leaves their long documents empty."""
    first, found.clones = found.clones + 1, up_to
    blocks = [
        (month, list(ks)) for month, ks in groupby(range(first, up_to + 1), lambda k: month_of(found, k))
    ]
    _make_months(found, [month for month, _ks in blocks])
    plain = [name for name in found.grown if name not in ("events_event", "tracking_position")]
    run("SET statement_timeout = 0")
    run("SET lock_timeout = 0")
    defined = _strip(plain)
    jobs: list[Callable[[], None]] = []
    for month, ks in blocks:
        for grown in sorted(found.grown.values(), key=lambda one: -one.rows):
            jobs += _filling(found, grown, month, ks, thin=thin)
    _work(jobs)
    apart = [statement for month in sorted(found.apart) for statement in _indexes(month)]
    _work([partial(run, statement) for statement in (*defined.indexes, *apart)])
    for statement in (*defined.keys, *defined.references):
        run(statement)
    for month in sorted(found.apart):
        run(list(partitions.statements(partitions.EVENTS, month))[-1])
    _settle(found)
    _work(
        [
            partial(run, f"VACUUM (ANALYZE) {name}")
            for name in sorted(found.grown, key=lambda n: -found.grown[n].rows)
        ]
    )


def _make_months(found: Template, months: list[date]) -> None:
    """Partitions of past months: those of positions at once, those of events apart, attached when full."""
    found.apart = set()
    for table in partitions.declared():
        present = {part.name for part in partitions.listing(table)}
        for month in {*months, *(partitions.plus_months(month, -1) for month in months)}:
            name = partitions.name_of(table, month)
            if name in present:
                continue
            if table.by_id and month in months:
                run(f"CREATE TABLE {name} (LIKE {table.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
                found.apart.add(month)
            elif not table.by_id:
                for statement in partitions.statements(table, month):
                    run(statement)


def _indexes(month: date) -> Iterator[str]:
    """What makes the indexes of a filled partition, those it will take over from its table among them."""
    name = partitions.name_of(partitions.EVENTS, month)
    yield from list(partitions.statements(partitions.EVENTS, month))[1:-1]
    for definition, is_primary in run(
        "SELECT pg_get_indexdef(indexrelid), indisprimary FROM pg_index WHERE indrelid = 'events_event'::regclass"
    ):
        columns = definition[definition.index("USING") :]
        if is_primary:
            yield f"ALTER TABLE {name} ADD PRIMARY KEY {definition[definition.index('(') :]}"
        else:
            yield f"CREATE {'UNIQUE ' if 'UNIQUE' in definition else ''}INDEX ON {name} {columns}"


def _filling(
    found: Template, grown: Grown, month: date, ks: list[int], *, thin: bool
) -> list[Callable[[], None]]:
    if grown.table in MONTH_ONLY:
        ks = [k for k in ks if k * found.step <= MONTH]
    if not ks:
        return []
    into = partitions.name_of(partitions.EVENTS, month) if grown.table == "events_event" else grown.table
    number = partitions.first_id(month) >> partitions.MONTH_BITS
    made = expressions(found, grown, thin=thin)
    columns = ", ".join(f'"{name}"' for name in made)
    values = ", ".join(value.replace("{month}", str(number)) for value in made.values())
    return [partial(
        run, f"INSERT INTO {into} ({columns}) SELECT {values} FROM generate_series({ks[-1]}, {ks[0]}, -1) AS k "
        f"CROSS JOIN template.{grown.table} AS t",
    )]  # fmt: skip


@dataclass(slots=True)
class Defined:
    """What a table had besides its rows, as statements that make it again."""

    indexes: list[str]
    keys: list[str]
    references: list[str]


def _strip(tables: list[str]) -> Defined:
    """Drop indexes and keys of these tables."""
    rows = run("""
        SELECT c.conrelid::regclass::text, c.conname, c.contype::text, pg_get_constraintdef(c.oid), c.conindid::regclass::text,
               pg_get_indexdef(c.conindid), r.relkind::text
        FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
        WHERE c.contype IN ('p', 'u', 'f') AND c.conparentid = 0
          AND (r.relname = ANY(%s) OR c.confrelid IN (SELECT oid FROM pg_class WHERE relname = ANY(%s)))
        ORDER BY c.contype = 'f' DESC""", [tables, tables])  # fmt: skip
    found = Defined([], [], [])
    for table, name, kind, definition, index, index_definition, relation in rows:
        run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        if kind == "f":
            definition = definition.removesuffix(" NOT VALID")
            late = "" if relation == "p" else " NOT VALID"
            found.references.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}{late}')
        else:
            found.indexes.append(index_definition)
            word = "PRIMARY KEY" if kind == "p" else "UNIQUE"
            end = definition[definition.index(")") + 1 :]
            found.keys.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {word} USING INDEX {index}{end}')
    for name, definition in run("""
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
        JOIN pg_class r ON r.oid = i.indrelid WHERE r.relname = ANY(%s)""", [tables]):  # fmt: skip
        run(f"DROP INDEX {name}")
        found.indexes.append(definition)
    return found


def _work(jobs: list[Callable[[], None]]) -> None:
    """Do these on two connections at once."""

    def work() -> None:
        from django.db import connection

        for setting in (
            "session_replication_role = replica", "statement_timeout = 0", "lock_timeout = 0", "synchronous_commit = off",
            "maintenance_work_mem = '1GB'", "max_parallel_maintenance_workers = 0",
        ):  # fmt: skip
            run(f"SET {setting}")
        try:
            while waiting:
                waiting.popleft()()
        finally:
            connection.close()

    waiting = deque(jobs)
    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(work) for _ in range(2)]:
            one.result()


def _settle(found: Template) -> None:
    """Projections have read it all, the ledger's chain goes on above, warehouses had their days."""
    (end,) = run("SELECT e.tx::text::bigint, e.id FROM events_event e ORDER BY e.tx DESC, e.id DESC LIMIT 1")
    run("UPDATE events_cursor SET tx = %s, event_id = %s", end)
    (end,) = run(
        "SELECT m.tx::text::bigint, m.id FROM inventory_movement m ORDER BY m.tx DESC, m.id DESC LIMIT 1"
    )
    run("UPDATE inventory_movementcursor SET tx = %s, movement_id = %s", end)
    run(
        "UPDATE carbon_carbonhead h SET seq = (SELECT max(seq) FROM carbon_ledgerentry e WHERE e.merchant_id = h.merchant_id)"
    )
    run(
        "INSERT INTO inventory_warehouseday (warehouse_id, date, parcels) SELECT w.id, d::date, %s FROM "
        "inventory_warehouse w, generate_series(%s::date, %s::date, '1 day') d ON CONFLICT DO NOTHING",
        [found.orders // 10, found.made_at - found.clones * found.step, found.made_at - timedelta(days=3)],
    )


def check(found: Template) -> dict[str, int]:
    """Rows by table; fails where a table that grew with the template lacks clones."""
    counts = {}
    for name, grown in found.grown.items():
        clones = found.clones if name not in MONTH_ONLY else min(found.clones, int(MONTH / found.step))
        ((counts[name],),) = run(f"SELECT count(*) FROM {name}")
        if counts[name] < grown.rows * (clones + 1):
            raise SystemExit(f"{name}: {counts[name]} rows instead of {grown.rows} x {clones + 1}")
    return counts


def size_gb() -> float:
    """How large the database is."""
    ((size,),) = run("SELECT pg_database_size(current_database())")
    return float(size) / 1e9
