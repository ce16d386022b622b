"""Screening names: the 47 cases on the extract, scripts, suffixes, and the readers of the published lists."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

from orderhub.orders.compliance.engine import lists, names
from orderhub.orders.compliance.engine.lists import ListedParty, ListError

DATA = Path(__file__).parent / "data"
LIMIT = 85


def extract() -> list[ListedParty]:
    files = [(DATA / f"ofac_{name}_extract.csv").read_bytes() for name in ("sdn", "alt", "add")]
    return lists.ofac(*files)


@pytest.fixture(scope="module")
def index() -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for party in extract():
        for text in party.names:
            for key in names.keys(text):
                found.setdefault(key, set()).add((party.number, text))
    return found


def cases() -> list[dict[str, str]]:
    with (DATA / "denied_party_cases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def nearest(index: dict[str, set[tuple[str, str]]], query: str) -> tuple[int, set[str]]:
    """The best score, and every entry that has it."""
    candidates = set().union(*(index.get(key, set()) for key in names.keys(query)))
    scored = [(names.similarity(query, text), number) for number, text in candidates]
    best = max((score for score, _number in scored), default=0)
    return best, {number for score, number in scored if score == best}


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['case']}-{case['kind']}")
def test_each_case_is_found_or_left_alone(
    case: dict[str, str], index: dict[str, set[tuple[str, str]]]
) -> None:
    score, first = nearest(index, case["query"])

    if case["expected"] in ("hit", "hit_or_review", "review"):
        assert score >= LIMIT
        assert case["expected_ent_num"] in first
    else:  # innocent, or only an alias entered by hand finds it
        assert score < LIMIT


def test_a_translated_name_is_found_once_somebody_has_entered_it() -> None:
    assert names.similarity("大连海博国际货运有限公司", "DALIAN HAIBO INTERNATIONAL FREIGHT CO. LTD.") < LIMIT
    assert names.similarity("大连海博国际货运有限公司", "大连海博国际货运公司") == 100


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("大连正华贸易有限公司", "DALIAN ZHENGHUA MAOYI YOUXIAN GONGSI"), ("Газпром", "GAZPROM OAO"),
        ("重庆银行", "CHONGQING YINHANG"), ("Société Générale S.A.", "SOCIETE GENERALE"), ("S. C. S. Alpha", "ALPHA SCS"),
        ("ＪＡＲＡＣＯ", "JARACO S.A."),
    ],
)  # fmt: skip
def test_scripts_accents_and_suffixes_do_not_hide_a_name(left: str, right: str) -> None:
    assert names.similarity(left, right) >= LIMIT
    assert names.keys(left) & names.keys(right)


def test_a_country_moves_a_score_only_a_little() -> None:
    assert [names.adjusted(85, same_country=x) for x in (True, None, False)] == [87, 85, 82]
    assert names.adjusted(100, same_country=False) >= LIMIT


def test_a_query_takes_few_comparisons_and_little_time(index: dict[str, set[tuple[str, str]]]) -> None:
    queries = [case["query"] for case in cases()]
    for query in queries:
        nearest(index, query)

    began = time.perf_counter()
    for query in queries:
        nearest(index, query)
    each = (time.perf_counter() - began) / len(queries)

    assert each < 0.005, f"{each * 1000:.2f} ms"


# ---- readers ---------------------------------------------------------------------------------------------


def test_ofac_files_are_linked_by_their_first_column() -> None:
    found = {party.number: party for party in extract()}

    assert len(found) == 300
    assert found["36"].names == ["AEROCARIBBEAN AIRLINES", "AERO-CARIBBEAN"]
    assert found["36"].countries == {"Cuba"}
    assert found["4579"].program == "SDNT"


def test_a_file_of_another_shape_is_refused() -> None:
    with pytest.raises(ListError, match="row 1 has 2 columns, not 12"):
        lists.ofac(b"1,2\n", b"", b"")
    with pytest.raises(ListError, match="no entries"):
        lists.ofac(b"", b"", b"")
    with pytest.raises(ListError, match="columns missing"):
        lists.european_union(b"a;b\n1;2\n")
    with pytest.raises(ListError, match="no XML"):
        lists.united_nations(b"<a")


def test_the_lists_of_the_usa_the_eu_and_the_un_are_read() -> None:
    csl = b'_id,source,type,name,alt_names,addresses\n9,EL,Entity,ALPHA LTD,ALFA LIMITED; A.L.F.A.,"1 Road, CN; 2 Street, RU"\n'
    [one] = lists.consolidated(csl)
    assert (one.number, one.names, one.countries) == (
        "9",
        ["ALPHA LTD", "ALFA LIMITED", "A.L.F.A."],
        {"CN", "RU"},
    )

    eu = (
        "\ufeffEntity_LogicalId;Entity_SubjectType;NameAlias_WholeName;Address_CountryIso2Code\n"
        "13;P;Иван Петров;\n13;P;Ivan Petrov;\n13;P;;RU\n"
    ).encode()
    [two] = lists.european_union(eu)
    assert (two.number, two.names, two.countries) == ("13", ["Иван Петров", "Ivan Petrov"], {"RU"})

    un = b"""<?xml version="1.0"?><CONSOLIDATED_LIST><INDIVIDUALS><INDIVIDUAL><DATAID>7</DATAID><FIRST_NAME>Ivan</FIRST_NAME>
    <SECOND_NAME>Petrov</SECOND_NAME><UN_LIST_TYPE>X</UN_LIST_TYPE><INDIVIDUAL_ALIAS><ALIAS_NAME>Vanya</ALIAS_NAME>
    </INDIVIDUAL_ALIAS><INDIVIDUAL_ADDRESS><COUNTRY>Russia</COUNTRY></INDIVIDUAL_ADDRESS></INDIVIDUAL></INDIVIDUALS>
    </CONSOLIDATED_LIST>"""
    [three] = lists.united_nations(un)
    assert (three.number, three.names, three.countries) == ("7", ["Ivan Petrov", "Vanya"], {"Russia"})


def test_xml_that_defines_entities_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'

    with pytest.raises(ListError):
        lists.united_nations(bomb)
