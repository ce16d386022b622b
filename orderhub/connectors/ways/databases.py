"""Tables of other databases, read only: PostgreSQL and MySQL, at the address that was checked, by names that were quoted."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pymysql
import pymysql.cursors
from django.conf import settings
from psycopg.types import datetime as moments

from orderhub.connectors import net, secretbox
from orderhub.connectors.models import Connection
from orderhub.connectors.ways.reasons import Broken

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10
Row = dict[str, Any]
_PORTS = {"postgresql": 5432, "mysql": 3306}
_LONGEST_NAME = 128


class Table:
    """One table or view of another database; raises Broken for whatever the database does."""

    def __init__(self, line: Any, quote: Callable[[str], str], name: str, moved_by: str, column: str) -> None:
        self._line, self.moved_by, self.column = line, moved_by, column
        self._table = ".".join(quote(part) for part in _parts(name))
        self._by = [quote(one) for one in (moved_by, column) if one]

    def columns(self) -> list[str]:
        """The names of its columns; Broken where one that is needed is not there."""
        cursor = self._asked(f"SELECT * FROM {self._table} LIMIT 0", ())
        found = [str(one[0]) for one in cursor.description or ()]
        missing = [one for one in (self.moved_by, self.column) if one and one not in found]
        if missing:
            raise Broken("no_columns", missing=", ".join(missing), found=", ".join(found)[:160])
        return found

    def last(self) -> Row | None:
        """The row that is furthest."""
        order = ", ".join(f"{one} DESC" for one in self._by)
        rows = self._rows(
            f"SELECT * FROM {self._table} WHERE {self._by[0]} IS NOT NULL ORDER BY {order} LIMIT 1", ()
        )
        return rows[0] if rows else None

    def first(self, most: int) -> list[Row]:
        """The rows from the beginning."""
        return self._page("", (), most)

    def since(self, mark: Any, most: int) -> list[Row]:
        """The rows from this watermark on, itself included."""
        return self._page(f" AND {self._by[0]} >= %s", (mark,), most)

    def after(self, mark: Any, number: Any, most: int) -> list[Row]:
        """The rows after this one: of the same watermark those of a higher id."""
        by = self._by
        if len(by) == 1:
            return self._page(f" AND {by[0]} > %s", (mark,), most)
        more = f" AND {by[0]} >= %s AND ({by[0]} > %s OR {by[1]} > %s)"
        return self._page(more, (mark, mark, number), most)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _page(self, more: str, values: Sequence[Any], most: int) -> list[Row]:
        question = f"SELECT * FROM {self._table} WHERE {self._by[0]} IS NOT NULL{more} ORDER BY {', '.join(self._by)} LIMIT %s"
        return self._rows(question, (*values, most))

    def _rows(self, question: str, values: Sequence[Any]) -> list[Row]:
        cursor = self._asked(question, values)
        names = [str(one[0]) for one in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _asked(self, question: str, values: Sequence[Any]) -> Any:
        try:
            cursor = self._line.cursor()
            cursor.execute(question, tuple(values))
        except (psycopg.Error, pymysql.Error, OSError) as fault:
            raise Broken("database_says", value=_words(fault)) from None
        return cursor


def open_table(connection: Connection) -> Table:
    """Connect and make the session read only; raises Broken, net.Forbidden or net.NotSent."""
    config = connection.config
    engine = str(config.get("table_engine") or "postgresql")
    host, port = str(config.get("table_host") or ""), int(config.get("table_port") or _PORTS[engine])
    names = [str(config.get(f"table_{one}") or "").strip() for one in ("name", "moved_by", "id")]
    if not host or not names[0] or not names[1]:
        raise Broken("table_settings")
    address = checked_address(host, port, connection=connection)
    engines = {"postgresql": (_postgresql, '"'), "mysql": (_mysql, "`")}
    connect, mark = engines[engine]
    try:
        line = connect(connection, host, address, port)
    except (psycopg.Error, pymysql.Error, OSError) as fault:
        raise Broken("no_connection", host=f"{host}:{port}", value=_words(fault)) from None
    return Table(line, lambda name: quoted(name, mark), *names)


def checked_address(host: str, port: int, *, connection: Connection) -> str:
    """The address of a database; Broken for one in a private network that the server's operator has not named."""
    found = net.checked_addresses(host, port, allows_private=True)
    if all(_is_public(one) for one in found):
        return found[0]
    if settings.DEBUG and connection.allows_private:
        return found[0]
    if all(_is_public(one) or _is_named(host, one) for one in found):
        return found[0]
    raise Broken("table_host", host=host)


def quoted(name: str, mark: str) -> str:
    """A name of a table or column as an identifier: nothing in it is SQL."""
    if not name or len(name) > _LONGEST_NAME or any(ord(sign) < 32 for sign in name):
        raise Broken("bad_name")
    return mark + name.replace(mark, mark * 2).replace("%", "%%") + mark


def _parts(name: str) -> list[str]:
    found = name.split(".")
    if len(found) > 2:
        raise Broken("bad_table")
    return found


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global


def _is_named(host: str, address: str) -> bool:
    number = ipaddress.ip_address(address.partition("%")[0])
    for one in settings.TABLE_HOSTS:
        if one.lower() == host.lower():
            return True
        try:
            if number in ipaddress.ip_network(one, strict=False):
                return True
        except ValueError:
            continue
    return False


def _words(fault: BaseException) -> str:
    """What a database said, without anything that was sent to it."""
    if isinstance(fault, pymysql.Error) and len(fault.args) > 1:
        return str(fault.args[1])[:200]
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]


# ---- PostgreSQL ------------------------------------------------------------------------------------


def _lenient(loader: Any) -> Any:
    """A loader that leaves a moment as text where no clock shows it (infinity, before Christ)."""

    class Lenient(loader):
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Lenient


_MOMENTS = (
    ("date", _lenient(moments.DateLoader)), ("timestamp", _lenient(moments.TimestampLoader)),
    ("timestamptz", _lenient(moments.TimestamptzLoader)),
)  # fmt: skip
_PG_TLS = {"encrypted": "require", "none": "disable"}


def _postgresql(connection: Connection, host: str, address: str, port: int) -> Any:
    config = connection.config
    tls = _PG_TLS.get(str(config.get("table_tls")), "verify-full")
    more: dict[str, Any] = {"sslrootcert": "system"} if tls == "verify-full" else {}
    line = psycopg.connect(
        host=host, hostaddr=address, port=port, dbname=str(config.get("table_database") or ""),
        user=str(config.get("table_user") or ""), password=secretbox.current(connection, "table_password") or None,
        connect_timeout=CONNECT_SECONDS, sslmode=tls, application_name="orderhub", autocommit=True,
        tcp_user_timeout=ANSWER_SECONDS * 1000, **more,
    )  # fmt: skip
    for name, loader in _MOMENTS:
        line.adapters.register_loader(name, loader)
    line.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    line.execute(f"SET statement_timeout = {ANSWER_SECONDS * 1000}")
    line.execute("SET lock_timeout = 2000")
    return line


# ---- MySQL -----------------------------------------------------------------------------------------


def _mysql(connection: Connection, host: str, address: str, port: int) -> Any:
    config = connection.config
    tls = str(config.get("table_tls") or "checked")
    asked: dict[str, Any] = {"ssl_disabled": True} if tls == "none" else {"ssl": _context(tls)}
    line = pymysql.connect(
        host=host, port=port, user=str(config.get("table_user") or ""),
        password=secretbox.current(connection, "table_password"), database=str(config.get("table_database") or ""),
        charset="utf8mb4", connect_timeout=CONNECT_SECONDS, read_timeout=ANSWER_SECONDS + 5,
        write_timeout=ANSWER_SECONDS, autocommit=True, local_infile=False, defer_connect=True, **asked,
    )  # fmt: skip
    line.connect(socket.create_connection((address, port), timeout=CONNECT_SECONDS))
    with line.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        _limit(cursor, "MariaDB" in line.get_server_info())
    return line


def _context(tls: str) -> ssl.SSLContext:
    """Encrypted with the certificate checked by name, or with any certificate where that was chosen."""
    context = ssl.create_default_context()
    if tls == "encrypted":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _limit(cursor: Any, is_mariadb: bool) -> None:
    """Let no question run longer; the two servers call it by other names."""
    try:
        if is_mariadb:
            cursor.execute(f"SET SESSION max_statement_time = {ANSWER_SECONDS}")
        else:
            cursor.execute(f"SET SESSION max_execution_time = {ANSWER_SECONDS * 1000}")
    except pymysql.Error:
        return  # a very old server; the time-out of the line is left
