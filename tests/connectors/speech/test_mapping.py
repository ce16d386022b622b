"""Maps: every transform, every fault at once, lists in lists, and paths that are bounded."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from orderhub.connectors.speech import mapping, transforms, trees
from orderhub.connectors.speech.flaws import Faulty
from orderhub.connectors.speech.mapping import Fault, Map
from orderhub.connectors.speech.picking import BadPath, Path, TooMuch
from orderhub.connectors.speech.requests import Request

NEAR: dict[str, Any] = {"_headers": {}, "_query": {}, "_config": {}}
TABLES = {"status": {"1": "created", "2": "paid", "null": "open"}}


def one(value: Any, *steps: Any, zone: str = "Asia/Shanghai", config: dict[str, Any] | None = None) -> Any:
    """The value after the steps; the code of the fault where there is one."""
    spec = Map.parse({"fields": [{"to": "x", "from": "v", "as": list(steps)}]}, tables=TABLES, zone=zone)
    mapped = mapping.apply(spec, {"v": value}, {**NEAR, "_config": config or {}}, sparse=True)
    return f"!{mapped.faults[0].code}" if mapped.faults else mapped.value.get("x")


CASES = [
    ("str", 7, "7"), ("str", Decimal("1.50"), "1.50"), ("str", True, "true"), ("str", None, None),
    ("str", [1], "!not_one_value"), ("str", "x" * 20_001, "!too_long"),
    ("dec", "199.00", "199.00"), ("dec", 3, "3"), ("dec", Decimal("0.10"), "0.10"), ("dec", "", None),
    ("dec", "1e3", "!scientific"), ("dec", "1,5", "!not_number"), ("dec", True, "!not_number"),
    ("dec", "١٢", "!not_number"), (["dec", 2], "1.005", "1.00"), (["dec", 2], "3", "3.00"),
    ("cents", 600, "6.00"), ("cents", "5", "0.05"), ("cents", -110, "-1.10"), ("cents", "1.5", "!not_whole"),
    ("to_cents", "6.00", 600), ("to_cents", "0.005", "!not_whole"),
    ("int", "2.000", 2), ("int", Decimal("3.0"), 3), ("int", "1.5", "!not_whole"), ("int", "two", "!not_number"),
    ("int", "0", 0), ("number", "181.0", 181), ("number", "181.50", Decimal("181.50")),
    (["scale", "1000"], "0.86", 860), (["scale", "10"], 30, 300), (["scale", "1000"], "heavy", "!not_number"),
    ("bool", "Y", True), ("bool", 0, False), ("bool", False, False), ("bool", "", None), ("bool", "maybe", "!not_bool"),
    ("epoch", 1617355413, "2021-04-02T09:23:33+00:00"), ("epoch", "1617355413", "2021-04-02T09:23:33+00:00"),
    ("epoch", 0, None), ("epoch", 10**14, "!not_moment"), ("epoch", "soon", "!not_number"),
    ("epoch_ms", 1617355413000, "2021-04-02T09:23:33+00:00"),
    ("iso", "2008-01-10T11:00:00-05:00", "2008-01-10T16:00:00+00:00"),
    ("iso", "2026-11-11T00:00:00Z", "2026-11-11T00:00:00+00:00"),
    ("iso", "2026-11-11T00:00:00+00:00", "2026-11-11T00:00:00+00:00"),
    ("iso", "2026-11-11T00:00:00", "!no_zone"), ("iso", "yesterday", "!not_moment"), ("iso", "", None),
    ("iso", "0001-01-01T00:00:00+14:00", "!not_moment"),
    ("local", "2026-11-11 09:31:22", "2026-11-11T01:31:22+00:00"),
    ("local", "2020/02/20 23:59:54", "2020-02-20T15:59:54+00:00"),
    (["local", "UTC"], "2017-03-22T19:28:02", "2017-03-22T19:28:02+00:00"),
    ("local", "2026-11-11T09:31:22+00:00", "2026-11-11T09:31:22+00:00"),
    (["packed_date", "204"], "20261112173746", "2026-11-12T09:37:46+00:00"),
    (["packed_date", "%d.%m.%Y %H:%M", "Europe/Berlin"], "12.11.2026 17:37", "2026-11-12T16:37:00+00:00"),
    (["packed_date", "204"], "2026", "!not_moment"),
    (["wall", "%Y-%m-%d %H:%M:%S"], "2026-11-11T01:31:22+00:00", "2026-11-11 09:31:22"),
    (["wall", "%Y%m%d", "UTC"], "2026-11-10T23:31:22+00:00", "20261110"),
    (["wall", "%Y"], "2026-11-11", "!no_zone"),
    (["wall", "%Y", "America/New_York"], "0001-01-01T00:00:00+00:00", "!not_moment"),
    ("to_epoch", "2021-04-02T09:23:33+00:00", 1617355413),
    (["to_epoch", 1000], "2021-04-02T09:23:33.250+00:00", 1617355413250),
    (["map", "status"], 2, "paid"), (["map", "status"], "9", "!unknown_value"), (["map", "status", "x"], "9", "x"),
    (["map", "status"], None, "open"), (["map", {"true": "yes"}], True, "yes"), (["map", {"a": "b"}], None, None),
    (["const", "count"], None, "count"), (["const", "count"], "other", "count"),
    (["default", "0"], "", "0"), (["default", "0"], None, "0"), (["default", "0"], 0, 0), (["default", "0"], "7", "7"),
    ("unexcel", '="1930000000000000001"', "1930000000000000001"), ("unexcel", "'10000000001\t", "10000000001"),
    ("unexcel", "1.93E+17", "!scientific"),
    ("phone", " １３８ 0000\t0000 ", "13800000000"), ("phone", "(555) 555-5555", "(555)555-5555"),
    ("phone", "1.38E+10", "!scientific"),
    ("join", ["a", None, " b ", ""], "a b"), (["join", ""], ["浙江", "杭州"], "浙江杭州"), ("join", "a", "a"),
    ("join", [["a"]], "!not_one_value"),
    ("first", [None, "", 0, "a"], 0), ("first", [], None), ("first", "a", "a"),
    (["split", ",", 1], "浙江, 杭州市,滨江区", "杭州市"), (["split", ",", 5], "a,b", None),
    (["mask", 3, 4], "13800000001", "138****0001"), (["mask", 3, 4], "138", "***"), ("mask", "abc", "***"),
    (["cut", 2], "abc", "ab"), (["tail", 4], "13800000001", "0001"), (["tail", 4], "01", "01"), (["pad", 6], 10, "000010"),
    ("epoch_us", "1617355413250001", "2021-04-02T09:23:33.250001+00:00"), ("epoch_us", 0, None),
    ("epoch_ns", "1617355413250001999", "2021-04-02T09:23:33.250001+00:00"), ("epoch_ns", 10**23, "!not_moment"),
    (["packed_date", "yyyyMMddHHmmss"], "20261112173746", "2026-11-12T09:37:46+00:00"),
    (["packed_date", "MM/dd/yyyy hh:mm a", "America/New_York"], "11/12/2026 05:37 PM", "2026-11-12T22:37:00+00:00"),
    (["packed_date", "d-M-yyyy H:mm"], "1-2-2026 7:05", "2026-01-31T23:05:00+00:00"),
    (["packed_date", "yyyy-MM-dd'T'HH:mm:ssXXX"], "2026-11-12T17:37:46+01:00", "2026-11-12T16:37:46+00:00"),
    (["wall", "dd.MM.yyyy"], "2026-11-11T01:31:22+00:00", "11.11.2026"),
    ("amount", "¥1,234.50", "1234.50"), (["amount", ","], "1.234,50 €", "1234.50"), ("amount", "-12", "-12"),
    ("amount", "(3.00)", "-3.00"), ("amount", "USD 5", "5"), ("amount", "free", "!not_number"), ("amount", "", None),
    ("minor", [1234, "KWD"], "1.234"), ("minor", ["500", "jpy"], "500"), ("minor", [1999, "USD"], "19.99"),
    ("minor", [1, "euro"], "!not_money"), ("minor", 5, "!not_money"), ("minor", [None, "USD"], None),
    ("to_minor", ["1.234", "KWD"], 1234), ("to_minor", ["500", "JPY"], 500), ("to_minor", ["1.5", "JPY"], "!not_whole"),
    ("shift", ["1234", 2], "12.34"), ("shift", [7, 0], "7"), ("shift", [1, "1.5"], "!not_whole"), ("shift", [None, 2], None),
    ("product", [3, "12"], "36"), ("product", ["2.50", 3], "7.50"), ("product", [[1], 2], "!not_numbers"),
    ("total", ["1.10", 2, "0.05"], "3.15"), ("total", [1, None], None), ("total", ["one"], "!not_number"),
    ("minus", ["10.00", "2.50", 1], "6.50"), ("minus", [1], "!not_numbers"),
    ("over", ["10", 4], "2.5"), ("over", [10, 3], "3.333333333333"), ("over", [1, 0], "!not_number"),
    (["plus", 300], 1617355413, 1617355713), (["plus", -1], "7", "6"), (["plus", 1], None, None),
    (["replace", "-", ""], "a-b-c", "abc"), (["replace", "", "x"], "abc", "abc"),
    (["before", "Bearer "], "abc", "Bearer abc"), (["before", "Bearer "], "", None),
    ("quote", "a b/甲", "a%20b%2F%E7%94%B2"), ("unquote", "%E6%B5%99+%41", "浙 A"), ("unescape", "A &amp;amp; B", "A &amp; B"),
    ("unbase64", "5rWZ5rGf", "浙江"), ("unbase64", "_-8", "!not_packed"), ("unbase64", "YQ", "a"),
    ("md5", "abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (["jwt", "HS256"], [{"iss": "a"}, ""], "!not_token"), (["jwt", "none"], [{"iss": "a"}, "k"], "!not_token"),
    (["jwt", "RS256"], [{"iss": "a"}, "k"], "!bad_key"), (["jwt", "HS256", 60], [{"iss": "a"}, "k"], "!not_token"),
    ("json", '{"id":4781320682406083640}', {"id": "4781320682406083640"}), ("json", {"a": 1}, {"a": 1}),
    ("json", "{", "!not_json"), ("json", " ", None),
    ("json_text", {"a": Decimal("1.0")}, '{"a":1.0}'),
    ("upper", "ab", "AB"), ("lower", "AB", "ab"), ("strip", " a ", "a"),
    ("base64", "中,1", "5LitLDE="), (["nothing", ["0", ""]], 0, None), (["nothing", "0"], "7", "7"),
    ("hash", ["a", Decimal("1.0")], "a1349e3f038df175e9de47b0aee510709ad2d259"),
    ("basic", ["user", "word"], "Basic dXNlcjp3b3Jk"), ("basic", "user", "Basic dXNlcjo="),
]  # fmt: skip


@pytest.mark.parametrize(("step", "value", "expected"), CASES)
def test_a_transform_gives_exactly_this(step: Any, value: Any, expected: Any) -> None:
    found = one(value, step)

    assert (type(found), found) == (type(expected), expected)


def test_every_transform_is_tried_above() -> None:
    assert {step if isinstance(step, str) else step[0] for step, _value, _expected in CASES} == set(
        transforms.KNOWN
    )


def test_a_zone_offset_of_zero_is_an_offset_and_a_connection_may_live_elsewhere() -> None:
    assert one("2026-11-11 09:00:00", "local", zone="UTC") == "2026-11-11T09:00:00+00:00"
    assert one("2026-11-11T09:00:00+00:00", "iso", zone="Asia/Tokyo") == "2026-11-11T09:00:00+00:00"
    assert one("2026-11-11 09:00:00", "local", config={"zone": "Asia/Tokyo"}) == "2026-11-11T00:00:00+00:00"
    assert one("2026-11-11 09:00:00", "local", config={"zone": "Asia/Atlantis"}) == "!unknown_zone"


ORDER = Map.parse(
    {
        "means": "order",
        "fields": [
            {"to": "ext_id", "from": "id", "as": ["str"], "required": True},
            {"to": "cipher.name", "from": "enc.name"},
            {"to": "cipher.phone", "from": "enc.phone"},
            {"to": "total", "from": "total", "as": ["dec"]},
            {"to": "placed_at", "from": "at", "as": ["iso"]},
            {"to": "topic", "from": '_headers."x-topic"'},
            {"to": "shop", "from": "_config.shop"},
            {"to": "empty", "from": "nothing.here"},
        ],
        "each": {
            "lines": {
                "from": "line_items",
                "required": True,
                "fields": [
                    {"to": "position", "from": "_at"},
                    {"to": "sku", "from": "sku", "as": ["str"], "required": True},
                    {"to": "qty", "from": "qty", "as": ["int"]},
                    {"to": "order", "from": "_up.id", "as": ["str"]},
                ],
                "each": {
                    "options": {
                        "from": "options",
                        "fields": [{"to": "name", "from": "_item", "as": ["upper"]}],
                    }
                },
            }
        },
    }
)


def test_a_map_fills_objects_and_lists_in_lists() -> None:
    tree = {
        "id": 7, "enc": {"name": "#x", "phone": Decimal("1.0")}, "total": Decimal("9.90"), "at": "2026-11-11T00:00:00Z",
        "_headers": {"x-topic": "forged"},
        "line_items": [{"sku": "A", "qty": 2, "options": ["red", "m"]}, {"sku": "B", "qty": "1"}],
    }  # fmt: skip
    near = {"_headers": {"x-topic": "orders/create"}, "_query": {}, "_config": {"shop": "S1"}}

    mapped = mapping.apply(ORDER, tree, near)

    assert mapped.faults == ()
    assert mapped.value == {
        "ext_id": "7", "cipher": {"name": "#x", "phone": "1.0"}, "total": "9.90",
        "placed_at": "2026-11-11T00:00:00+00:00", "topic": "orders/create", "shop": "S1", "empty": None,
        "lines": [
            {"position": 1, "sku": "A", "qty": 2, "order": "7", "options": [{"name": "RED"}, {"name": "M"}]},
            {"position": 2, "sku": "B", "qty": 1, "order": "7", "options": []},
        ],
    }  # fmt: skip


def test_all_faults_of_a_message_are_told_at_once() -> None:
    tree = {
        "total": "free",
        "at": "2026-11-11",
        "line_items": [{"sku": "A", "qty": 1}, {"qty": "1.5"}, {"sku": ["x"]}],
    }

    mapped = mapping.apply(ORDER, tree, NEAR)

    assert mapped.faults == (
        Fault("ext_id", "id", "missing"),
        Fault("total", "total", "not_number", "free"),
        Fault("placed_at", "at", "no_zone", "2026-11-11"),
        Fault("lines[1].sku", "sku", "missing"),
        Fault("lines[1].qty", "qty", "not_whole", "1.5"),
        Fault("lines[2].sku", "sku", "not_one_value", "[…]"),
    )
    assert mapped.value["lines"][0]["qty"] == 1


def test_a_list_that_must_have_something_and_a_single_object_where_a_list_is_usual() -> None:
    assert mapping.apply(ORDER, {"id": 1}, NEAR).faults == (Fault("lines", "line_items", "missing"),)
    single = mapping.apply(ORDER, {"id": 1, "line_items": {"sku": "A"}}, NEAR)
    assert [line["sku"] for line in single.value["lines"]] == ["A"]


def test_a_whole_history_is_a_list_of_items_that_know_what_is_around_them() -> None:
    history = Map.parse(
        {
            "items": "result.data",
            "fields": [{"to": "nu", "from": "_up.result.nu"}, {"to": "at", "from": "time", "as": ["local"]}],
        },
        zone="Asia/Shanghai",
    )
    tree = {"result": {"nu": "YT1", "data": [{"time": "2026-11-12 08:40:11"}, {"time": "x"}]}}

    mapped = mapping.apply(history, tree, NEAR)

    assert mapped.value == {
        "items": [{"nu": "YT1", "at": "2026-11-12T00:40:11+00:00"}, {"nu": "YT1", "at": None}],
    }
    assert mapped.faults == (Fault("items[1].at", "time", "not_moment", "x"),)


def test_a_body_of_ours_leaves_out_what_is_empty() -> None:
    spec = Map.parse(
        {
            "fields": [
                {"to": "a.b", "from": "x"},
                {"to": "a.c", "from": "y"},
                {"to": "a.d", "from": "z", "keep": True},
                {"to": "a.n", "from": "n", "as": ["number"]},
            ],
            "each": {"rows.row": {"from": "rows", "fields": [{"to": "@no", "from": "no"}]}},
        }
    )

    assert mapping.apply(spec, {"x": "1", "y": "", "n": "1.50", "rows": []}, NEAR, sparse=True).value == {
        "a": {"b": "1", "d": "", "n": Decimal("1.50")}
    }
    assert mapping.apply(spec, {"x": 0, "rows": [{"no": 1}]}, NEAR, sparse=True).value == {
        "a": {"b": 0, "d": ""},
        "rows": {"row": [{"@no": 1}]},
    }


def test_what_is_around_a_request_cannot_be_forged_by_its_body() -> None:
    request = Request(query=(("id", "t1"),), headers={"x-a": "1"}, body=b"f=2")
    near = mapping.around(request, {"shop": "S"})

    assert near == {
        "_headers": {"x-a": "1"},
        "_query": {"id": "t1"},
        "_form": {"f": "2"},
        "_config": {"shop": "S"},
    }
    assert mapping.scope({"_config": {"shop": "evil"}, "a": 1}, near)["_config"] == {"shop": "S"}
    assert mapping.scope([1], near)["_body"] == [1]


def test_a_map_says_everything_that_is_wrong_with_it_at_once() -> None:
    with pytest.raises(Faulty) as error:
        Map.parse(
            {
                "means": "poem",
                "fields": [
                    {"to": "a", "from": "a[", "as": ["eval"]},
                    {"to": "a", "from": "b", "as": [["map", "colours"], ["cut"], ["cut", "x"], 7]},
                    {"to": "b c", "from": "b"},
                    {"to": "d"},
                    {"from": "x", "as": [["local", "Asia/Atlantis"], ["scale", "much"]]},
                ],
                "each": {"lines": {"fields": "all", "colour": 1}},
            }
        )

    assert {(flaw.path, flaw.code) for flaw in error.value.flaws} == {
        ("means", "not_a_choice"),
        ("fields[0].from", "path_wrong"),
        ("fields[0].as[0]", "unknown_transform"),
        ("fields[1].to", "twice"),
        ("fields[1].as[0]", "wrong_argument"),
        ("fields[1].as[1]", "wrong_arguments"),
        ("fields[1].as[2]", "wrong_argument"),
        ("fields[1].as[3]", "not_text"),
        ("fields[2].to", "bad_target"),
        ("fields[3].from", "missing"),
        ("fields[4].to", "missing"),
        ("fields[4].as[0]", "wrong_argument"),
        ("fields[4].as[1]", "wrong_argument"),
        ("each.lines.from", "missing"),
        ("each.lines.fields", "not_list"),
        ("each.lines.colour", "unknown_word"),
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a[", "path_wrong"),
        ("a" * 601, "path_long"),
        ("a" + ".a" * 200, "path_big"),
        ("[" * 100 + "a" + "]" * 100, "path_deep"),
        ("[" + ",".join(["a"] * 200) + "]", "path_big"),
        ("|".join(["[@,@]"] * 20), "path_big"),
        ("a[?b > `1.5`]", "path_float"),
        ("exec('x')", "path_function"),
    ],
)
def test_a_path_that_may_cost_too_much_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadPath) as error:
        Path(text)
    assert error.value.code == code


def test_paths_make_no_floats_and_no_endless_texts() -> None:
    assert Path("to_number('19.90')").pick({}) == Decimal("19.90")
    assert Path("to_number('7')").pick({}) == 7
    assert Path("to_number('1e400')").pick({}) is None
    assert Path("to_string(a)").pick({"a": Decimal("19.90")}) == "19.90"
    assert Path("to_string(a)").pick({"a": {"b": 1}}) is None
    with pytest.raises(TooMuch):
        Path("join(a, b)").pick({"a": "x" * 1000, "b": ["y"] * 1000})


def test_a_path_that_cannot_work_on_a_message_is_a_fault_of_that_field() -> None:
    spec = Map.parse({"fields": [{"to": "n", "from": "length(a)"}, {"to": "b", "from": "b"}]})

    mapped = mapping.apply(spec, {"a": 7, "b": 1}, NEAR)

    assert [(fault.field, fault.code) for fault in mapped.faults] == [("n", "path_failed")]
    assert mapped.value["b"] == 1


def test_a_flood_of_items_is_a_fault_and_no_work() -> None:
    spec = Map.parse({"items": "rows", "fields": [{"to": "a", "from": "a"}]})

    mapped = mapping.apply(spec, {"rows": [{"a": 1}] * (mapping.MOST_ITEMS + 1)}, NEAR)

    assert [fault.code for fault in mapped.faults] == ["too_many"]
    assert mapped.value == {"items": []}


def test_a_message_made_to_be_slow_is_given_up_and_told() -> None:
    spec = Map.parse({"items": "rows", "fields": [{"to": "n", "from": "_up.rows[?a == 'x'].a | [0]"}]})
    started = time.process_time()

    mapped = mapping.apply(spec, {"rows": [{"a": "y"}] * 15_000}, NEAR)

    assert [fault.code for fault in mapped.faults] == ["too_much"]
    assert time.process_time() - started < 10


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    spec = Map.parse({"items": "rows", "fields": [{"to": "n", "from": "a", "as": ["int"]}]})

    assert len(mapping.apply(spec, {"rows": [{"a": "y"}] * 5_000}, NEAR).faults) == mapping.MOST_FAULTS


def test_what_a_map_gives_is_what_json_can_hold() -> None:
    spec = Map.parse({"fields": [{"to": "raw", "from": "a"}]})

    value = mapping.apply(spec, {"a": [Decimal("1.10"), {"b": Decimal(2)}]}, NEAR).value

    assert value == {"raw": ["1.10", {"b": "2"}]}
    assert trees.write(value, "json") == b'{"raw":["1.10",{"b":"2"}]}'
