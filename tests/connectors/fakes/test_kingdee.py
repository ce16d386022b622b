"""The Kingdee ERP: a number only once, states, change orders for audited bills, errors inside HTTP 200."""

from __future__ import annotations

from typing import Any

from orderhub.connectors.fakes.world import World
from tests.connectors.fakes import calls

FORM = "BOS.WebApi.ServicesStub.DynamicFormService"
CHANGE = "K3.SCM.WebApi.ServicesStub.SaveXSaleOrderWebApi.SaveXSaleOrder"


def _order(
    number: str = "SO-1", *, audit: bool = False, quantity: int = 2, bill_id: int = 0
) -> dict[str, Any]:
    rows = [{"FMaterialId": {"FNumber": "SKU-RED-M"}, "FQty": quantity, "FTaxPrice": 181.0}]
    model = {"FID": bill_id, "FBillNo": number, "FDate": "2026-11-11", "SAL_SaleOrder__FSaleOrderEntry": rows}
    return {"formid": "SAL_SaleOrder", "data": {"IsAutoSubmitAndAudit": audit, "Model": model}}


def _ok(answer: dict[str, Any]) -> bool:
    return bool(answer["Result"]["ResponseStatus"]["IsSuccess"])


def _why(answer: dict[str, Any]) -> str:
    return str(answer["Result"]["ResponseStatus"]["Errors"][0]["Message"])


def test_an_order_is_saved_submitted_and_audited(world: World) -> None:
    names = {"formid": "SAL_SaleOrder", "data": {"Numbers": ["SO-1"]}}

    saved = calls.kingdee(world, f"{FORM}.Save", _order())
    too_early = calls.kingdee(world, f"{FORM}.Audit", names)
    submitted = calls.kingdee(world, f"{FORM}.Submit", names)
    audited = calls.kingdee(world, f"{FORM}.Audit", names)

    assert saved["Result"]["Number"] == "SO-1"
    assert [_ok(one) for one in (saved, too_early, submitted, audited)] == [True, False, True, True]
    assert world.do("kingdee", "bill", number="SO-1")["status"] == "C"


def test_a_number_that_is_taken_is_refused_inside_http_200(world: World) -> None:
    calls.kingdee(world, f"{FORM}.Save", _order(quantity=2))

    again = calls.kingdee(world, f"{FORM}.Save", _order(quantity=9))

    assert not _ok(again)
    assert "已经被使用" in _why(again)
    bills = world.state("kingdee")["bills"]
    assert len(bills) == 1
    assert bills[0]["model"]["SAL_SaleOrder__FSaleOrderEntry"][0]["FQty"] == 2


def test_an_audited_order_changes_only_by_a_change_order(world: World) -> None:
    saved = calls.kingdee(world, f"{FORM}.Save", _order(audit=True))

    direct = calls.kingdee(world, f"{FORM}.Save", _order(quantity=5, bill_id=saved["Result"]["Id"]))
    change = calls.kingdee(world, CHANGE, {"saveXSaleOrderArgs": {"SaleOrderBillNo": "SO-1"}})
    named = {"formid": "SAL_XORDER", "data": {"Numbers": [change["Result"]["Number"]]}}
    content = _order(change["Result"]["Number"], quantity=5, bill_id=change["Result"]["Id"])
    steps = [
        calls.kingdee(world, f"{FORM}.Save", {**content, "formid": "SAL_XORDER"}),
        calls.kingdee(world, f"{FORM}.Submit", named), calls.kingdee(world, f"{FORM}.Audit", named),
    ]  # fmt: skip

    assert "变更单" in _why(direct)
    assert change["IsSuccess"] is True
    assert all(_ok(one) for one in steps)
    bill = world.do("kingdee", "bill", number="SO-1")
    assert bill["version"] == 2
    assert bill["model"]["SAL_SaleOrder__FSaleOrderEntry"][0]["FQty"] == 5


def test_an_order_that_is_not_audited_has_no_change_order(world: World) -> None:
    calls.kingdee(world, f"{FORM}.Save", _order())

    change = calls.kingdee(world, CHANGE, {"saveXSaleOrderArgs": {"SaleOrderBillNo": "SO-1"}})

    assert "未审核" in _why(change)
    assert len(world.state("kingdee")["bills"]) == 1


def test_bills_are_found_by_their_number(world: World) -> None:
    calls.kingdee(world, f"{FORM}.Save", _order(audit=True))

    seen = calls.kingdee(world, f"{FORM}.View", {"formid": "SAL_SaleOrder", "data": {"Number": "SO-1"}})
    none = calls.kingdee(world, f"{FORM}.View", {"formid": "SAL_SaleOrder", "data": {"Number": "SO-2"}})
    rows = calls.kingdee(world, f"{FORM}.ExecuteBillQuery", {
        "data": {"FormId": "SAL_SaleOrder", "FieldKeys": "FBillNo,FDocumentStatus", "FilterString": "FBillNo='SO-1'"},
    })  # fmt: skip

    assert seen["Result"]["Result"]["DocumentStatus"] == "C"
    assert not _ok(none)
    assert rows == [["SO-1", "C"]]


def test_a_wrong_signature_saves_nothing(world: World) -> None:
    answer = calls.kingdee(world, f"{FORM}.Save", _order(), secret="another")

    assert not _ok(answer)
    assert world.state("kingdee")["bills"] == []


def test_unknown_materials_are_refused_by_setting(world: World) -> None:
    world.settings("kingdee", known_skus=["SKU-BLU-L"])

    assert "SKU-RED-M" in _why(calls.kingdee(world, f"{FORM}.Save", _order()))


def test_a_cancel_needs_the_audit_taken_back(world: World) -> None:
    calls.kingdee(world, f"{FORM}.Save", _order(audit=True))
    named = {"formid": "SAL_SaleOrder", "data": {"Numbers": ["SO-1"]}}
    cancel = {**named, "opNumber": "Cancel"}

    early = calls.kingdee(world, f"{FORM}.ExcuteOperation", cancel)
    back = calls.kingdee(world, f"{FORM}.UnAudit", named)
    late = calls.kingdee(world, f"{FORM}.ExcuteOperation", cancel)

    assert [_ok(one) for one in (early, back, late)] == [False, True, True]
    assert world.do("kingdee", "bill", number="SO-1")["canceled"]
