"""The mapping assistant, pure: paths out of a sample, proposals by name and value, drafts to forms and back, and marks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orderhub.connectors.console import drafting, hows, sampling, veiling
from orderhub.connectors.console.drafting import Row

SAMPLES: dict[str, dict[str, Any]] = {
    "chinese": {
        "订单编号": "A-1", "订单状态": "待发货", "实付金额": "18.00", "下单时间": "2026-11-11 09:00:00",
        "收货人": "王芳", "手机": "13800000001", "省": "浙江省", "市": "杭州市", "区": "西湖区", "详细地址": "文三路 90 号",
        "商品": [{"商家编码": "CUP", "数量": 2, "单价": "9.00"}],
    },
    "pinyin": {
        "dingdanhao": "A-1", "zhuangtai": "PAID", "zongjia": "18.00", "shouhuoren": "王芳", "shouji": "13800000001",
        "sheng": "浙江省", "shi": "杭州市", "quxian": "西湖区", "dizhi": "文三路 90 号",
        "mingxi": [{"huohao": "CUP", "shuliang": 2, "danjia": "9.00"}],
    },
    "english": {
        "orderNo": "A-1", "createdAt": "2026-11-11T09:00:00+08:00", "state": "PAID", "payAmountFen": 1800,
        "consignee": {"fullName": "Ann Lee", "mobile": "13800000001", "province": "浙江省", "city": "杭州市", "county": "西湖区",
                      "addr": "文三路 90 号"},
        "orderItems": [{"skuCode": "CUP", "num": 2, "unitPrice": "9.00"}],
    },
}  # fmt: skip
WANTED: dict[str, dict[tuple[str, str], str]] = {
    "chinese": {
        ("", "ext_id"): '"订单编号"', ("", "status"): '"订单状态"', ("", "total"): '"实付金额"', ("", "phone"): '"手机"',
        ("", "placed_at"): '"下单时间"', ("", "name"): '"收货人"', ("", "address"): '"详细地址"',
        ("lines", ""): '"商品"', ("lines", "sku"): '"商家编码"', ("lines", "qty"): '"数量"', ("lines", "price"): '"单价"',
    },
    "pinyin": {
        ("", "ext_id"): "dingdanhao", ("", "status"): "zhuangtai", ("", "total"): "zongjia", ("", "name"): "shouhuoren",
        ("", "phone"): "shouji", ("", "city"): "shi", ("lines", "sku"): "huohao", ("lines", "qty"): "shuliang",
    },
    "english": {
        ("", "ext_id"): "orderNo", ("", "status"): "state", ("", "total"): "payAmountFen", ("", "name"): "consignee.fullName",
        ("", "phone"): "consignee.mobile", ("", "address"): "consignee.addr", ("", "district"): "consignee.county",
        ("lines", ""): "orderItems", ("lines", "sku"): "skuCode", ("lines", "qty"): "num", ("lines", "price"): "unitPrice",
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_fields_are_proposed_by_name_and_value(kind: str) -> None:
    given = sampling.proposals("order", sampling.paths(SAMPLES[kind]))

    assert {place: given[place].path for place in WANTED[kind] if place in given} == WANTED[kind]


def test_how_a_value_is_read_is_proposed_from_the_value() -> None:
    given = sampling.proposals("order", sampling.paths(SAMPLES["english"]))
    chinese = sampling.proposals("order", sampling.paths(SAMPLES["chinese"]))

    assert given["", "total"].how == "cents"
    assert (given["", "placed_at"].how, chinese["", "placed_at"].how) == ("iso", "local")
    assert chinese["", "total"].how == "amount"


def test_a_whole_amount_without_a_word_for_cents_is_a_doubt_for_a_person() -> None:
    given = sampling.proposals("order", sampling.paths({"order_id": "1", "total_amount": 1800}))

    assert (given["", "total"].how, given["", "total"].doubt) == ("amount", "cents")


def test_a_value_of_another_sort_is_not_proposed() -> None:
    given = sampling.proposals("order", sampling.paths({"total": "see below", "phone": "by mail"}))

    assert given == {}


def test_what_is_proposed_is_a_map_that_reads_the_sample() -> None:
    rows, _doubts = drafting.proposed({"means": "order", "fields": []}, SAMPLES["chinese"])
    made = drafting.with_rows({"means": "order", "fields": []}, rows)

    assert {"to": "ext_id", "from": '"订单编号"', "as": ["str"], "required": True} in made["fields"]
    assert made["each"]["lines"]["from"] == '"商品"'
    status = next(one for one in made["fields"] if one["to"] == "status")
    assert status["as"] == [["map", {"待发货": "paid"}]]


@pytest.mark.parametrize(
    "steps",
    [[], ["str"], ["cents"], [["const", "CNY"]], [["map", "states"]], [["map", {"A": "paid"}]], ["json", "first", "str"],
     [["before", "Bearer "]], [["wall", "yyyy-MM-dd HH:mm"]], [["to_epoch", 1000]], ["product", "int"]],
)  # fmt: skip
def test_transforms_survive_the_form(steps: list[Any]) -> None:
    assert hows.steps_of(*hows.how_of(steps)) == steps


def test_the_form_keeps_what_it_does_not_show() -> None:
    deep = {
        "from": "goods",
        "fields": [{"to": "sku", "from": "c", "about": "theirs"}],
        "each": {"parts": {"from": "p"}},
    }
    document = {
        "means": "order",
        "fields": [{"to": "ext_id", "from": "id"}],
        "each": {"lines": deep},
        "codes": "x",
    }

    made = drafting.with_rows(document, drafting.rows(document))

    assert made["codes"] == "x"
    assert made["each"]["lines"]["each"] == deep["each"]
    assert made["each"]["lines"]["fields"] == [{"to": "sku", "from": "c", "about": "theirs"}]
    assert made["fields"] == [{"to": "ext_id", "from": "id"}]


def test_a_line_without_path_is_no_field_and_a_fixed_one_needs_none() -> None:
    made = drafting.with_rows(
        {"means": "order"}, [Row("note"), Row("currency", "", "fixed", "CNY"), Row("ext_id", " id ")]
    )

    assert [one["to"] for one in made["fields"]] == ["currency", "ext_id"]
    assert made["fields"][1]["from"] == "id"


def test_differences_name_the_place_and_both_values() -> None:
    assert drafting.differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}, 4]}) == [
        ("a[1].b", 2, 3),
        ("a[2]", None, 4),
    ]


def test_persons_are_behind_marks_and_come_back_to_the_byte() -> None:
    text = json.dumps(
        {"name": "Mug", "to": SAMPLES["english"]["consignee"], "goods": [{"name": "Cup"}]}, ensure_ascii=False
    )
    values = veiling.personal_values(json.loads(text))

    shown, marks = veiling.veil(text, values)

    assert "Ann Lee" not in shown
    assert "13800000001" not in shown
    assert "文三路" not in shown
    assert "Mug" in shown
    assert "Cup" in shown
    assert veiling.unveil(shown, marks) == text
    assert veiling.unveil(shown.replace("Cup", "CUP"), marks) == text.replace("Cup", "CUP")


def test_a_mark_that_was_never_given_brings_nothing_back() -> None:
    with pytest.raises(KeyError):
        veiling.unveil("‹A***·7›", {})
