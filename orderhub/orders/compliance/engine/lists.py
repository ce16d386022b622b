"""Published lists of denied parties read into one shape; every reader refuses a file that is not what it says."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from defusedxml import ElementTree

_EMPTY = "-0-"


class ListError(ValueError):
    """A file that cannot be read as the list it was given as; says why, in zh and en."""

    def __init__(self, *, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(slots=True)
class ListedParty:
    """One entry: its number in the list, names (the main one first), countries as written, and program."""

    number: str
    kind: str = ""
    program: str = ""
    names: list[str] = field(default_factory=list)
    countries: set[str] = field(default_factory=set)


def ofac(entries: bytes, aliases: bytes, addresses: bytes) -> list[ListedParty]:
    """The three files of the OFAC list: 12, 5 and 6 columns without a header, linked by the first one."""
    found: dict[str, ListedParty] = {}
    for row in _plain_rows(entries, 12):
        found[row[0]] = ListedParty(row[0], row[2], row[3], [row[1]])
    for row in _plain_rows(aliases, 5):
        if row[0] in found and row[3]:
            found[row[0]].names.append(row[3])
    for row in _plain_rows(addresses, 6):
        if row[0] in found and row[4]:
            found[row[0]].countries.add(row[4])
    return _some(found)


def consolidated(text: bytes) -> list[ListedParty]:
    """The consolidated screening list of the USA: columns by name; aliases and addresses parted by semicolons."""
    found: dict[str, ListedParty] = {}
    for row in _named_rows(text, ",", need={"name", "source"}):
        number = row.get("_id") or row.get("entity_number") or row["name"]
        names = [row["name"], *_parted(row.get("alt_names", ""))]
        countries = {part.rsplit(",", 1)[-1].strip() for part in _parted(row.get("addresses", ""))}
        found[number] = ListedParty(number, row.get("type", ""), row["source"], names, countries - {""})
    return _some(found)


def european_union(text: bytes) -> list[ListedParty]:
    """The consolidated list of the EU: semicolons, one row for each name or address of an entry."""
    found: dict[str, ListedParty] = {}
    for row in _named_rows(text, ";", need={"Entity_LogicalId", "NameAlias_WholeName"}):
        party = found.setdefault(row["Entity_LogicalId"], ListedParty(row["Entity_LogicalId"]))
        party.kind = party.kind or row.get("Entity_SubjectType", "")
        party.program = party.program or row.get("Entity_Regulation_Programme", "")
        if row["NameAlias_WholeName"] and row["NameAlias_WholeName"] not in party.names:
            party.names.append(row["NameAlias_WholeName"])
        if row.get("Address_CountryIso2Code", ""):
            party.countries.add(row["Address_CountryIso2Code"])
    return _some({number: party for number, party in found.items() if party.names})


def united_nations(text: bytes) -> list[ListedParty]:
    """The consolidated list of the UN Security Council, XML without entities or DTD."""
    try:
        root = ElementTree.fromstring(text, forbid_dtd=True)
    except Exception as fault:
        raise ListError(zh="不是可读取的 XML 文件", en="is no XML that can be read") from fault
    found: dict[str, ListedParty] = {}
    for tag, alias in (("INDIVIDUAL", "INDIVIDUAL_ALIAS"), ("ENTITY", "ENTITY_ALIAS")):
        for node in root.iter(tag):
            number = node.findtext("DATAID") or node.findtext("REFERENCE_NUMBER") or ""
            parts = [node.findtext(f"{place}_NAME") or "" for place in ("FIRST", "SECOND", "THIRD", "FOURTH")]
            names = [" ".join(part.strip() for part in parts if part.strip())]
            names += [(each.findtext("ALIAS_NAME") or "").strip() for each in node.iter(alias)]
            names = list(dict.fromkeys(name for name in names if name))
            countries = {(each.text or "").strip() for each in node.iter("COUNTRY")} - {""}
            if number and names:
                program = node.findtext("UN_LIST_TYPE") or ""
                found[number] = ListedParty(number, tag.lower(), program, names, countries)
    return _some(found)


#: Readers of lists that come as one file; OFAC comes as three.
READERS: Mapping[str, Callable[[bytes], list[ListedParty]]] = {
    "csl": consolidated, "eu": european_union, "un": united_nations,
}  # fmt: skip


def _some(found: Mapping[str, ListedParty]) -> list[ListedParty]:
    if not found:
        raise ListError(zh="文件里没有任何条目", en="has no entries")
    return list(found.values())


def _text(data: bytes) -> io.StringIO:
    try:
        return io.StringIO(data.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        return io.StringIO(data.decode("latin-1"), newline="")


def _plain_rows(data: bytes, columns: int) -> Iterator[list[str]]:
    for number, row in enumerate(csv.reader(_text(data)), 1):
        if row in ([], ["\x1a"]):  # the files end with the sign that once ended files
            continue
        if len(row) != columns:
            raise ListError(
                zh=f"第 {number} 行有 {len(row)} 列，应为 {columns} 列",
                en=f"row {number} has {len(row)} columns, not {columns}",
            )
        yield ["" if cell.strip() == _EMPTY else cell.strip() for cell in row]


def _named_rows(data: bytes, delimiter: str, *, need: set[str]) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(_text(data), delimiter=delimiter)
    missing = need - set(reader.fieldnames or ())
    if missing:
        named = ", ".join(sorted(missing))
        raise ListError(zh=f"缺少列：{named}", en=f"columns missing: {named}")
    for row in reader:
        yield {str(name): (value or "").strip() for name, value in row.items() if isinstance(value, str)}


def _parted(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
