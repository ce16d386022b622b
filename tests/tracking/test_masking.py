"""What strangers see: the table of the design, and canaries that must not survive in free text."""

from __future__ import annotations

import pytest

from tracking.masking import mask_address, mask_name, mask_phone, public_text


@pytest.mark.parametrize(
    ("name", "masked"),
    [("欧阳某某", "欧***"), ("张三", "张***"), ("李", "李***"), (" John Smith ", "J***"), ("", "")],
)
def test_a_name_keeps_its_first_character_and_hides_its_length(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("10012345678", "100******78"),
        ("138 0013 8000", "138******00"),
        ("+86 138-0013-8000", "138******00"),
        ("１３８００１３８０００", "138******00"),
        ("0571-88886666", "057*******66"),
        ("88886666", "******66"),
        ("123456", "******"),
        ("110", "***"),
        ("", ""),
        ("none", ""),
    ],
)
def test_at_least_six_digits_of_a_phone_are_hidden(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


def test_partners_see_no_phone_at_all() -> None:
    assert mask_phone("10012345678", audience="partner") == ""
    assert mask_phone("10012345678", audience="staff") == "100******78"


@pytest.mark.parametrize(
    ("audience", "shown"),
    [("public", "浙江省杭州市西湖区"), ("partner", "杭州市"), ("staff", "浙江省杭州市西湖区文三路")],
)
def test_address_by_audience(audience: str, shown: str) -> None:
    masked = mask_address(
        province="浙江省",
        city="杭州市",
        district="西湖区",
        street="文三路 100 号 3 栋 502 室",
        audience=audience,  # type: ignore[arg-type]
    )

    assert masked == shown


@pytest.mark.parametrize(
    ("street", "shown"),
    [
        ("12 Main St Apt 4", "Main St"),
        ("Main St 12", "Main St"),
        ("Unit 5, 77 Elm Avenue", "Elm Avenue"),
        ("人民大道1号", "人民大道"),
        ("阳光小区3栋502", "阳光小区"),
    ],
)
def test_staff_see_the_street_without_house_or_room(street: str, shown: str) -> None:
    assert (
        mask_address(city="Springfield", street=street, audience="staff")
        .removeprefix("Springfield")
        .strip(", ")
        == shown
    )


def test_municipality_is_not_said_twice() -> None:
    assert mask_address(province="上海", city="上海市", district="浦东新区") == "上海浦东新区"
    assert mask_address(province="CA", city="Los Angeles") == "CA, Los Angeles"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("快件已由快递员张三派送，电话：13800138000", "快件已由快递员***派送，电话：***"),
        ("【成都市】派件员：李四（13900139000）正在派件", "【成都市】派件员：***（***）正在派件"),
        ("快递员 王小明，138-0013-8000，请保持电话畅通", "快递员 ***，***，请保持电话畅通"),
        ("联系电话０１０－８８８８６６６６", "联系电话***"),
        ("网点电话 0571-88886666 转 801", "网点电话 *** 转 801"),
        ("快递员正在派送，请耐心等待", "快递员正在派送，请耐心等待"),
        ("客服热线400-888-9999", "客服热线***"),
        ("客服 95338", "客服 95338"),
        ("+86 138 0013 8000 已联系", "*** 已联系"),
        ("Courier +1 (415) 555-2671 on the way", "Courier *** on the way"),
        ("Call 415-555-2671", "Call ***"),
        ("请凭取件码 8-2-1034 到丰巢取件", "请凭取件码 *** 到丰巢取件"),
        ("取件码：【A12-345】", "取件码：***"),
        ("验证码是 884213，请勿告知他人", "验证码是 ***，请勿告知他人"),
        ("Your pickup code: 4471", "Your pickup code: ***"),
        ("签收人：赵六，感谢使用", "签收人：***，感谢使用"),
        ("Signed by: John Smith at 10:30", "Signed by: *** at 10:30"),
        ("已签收，签收人凭取货码签收", "已签收，签收人凭取货码签收"),
        ("运单 SF1380013800012 已到达重庆转运中心", "运单 SF1380013800012 已到达重庆转运中心"),
        ("运单 75312345678901 已揽收", "运单 75312345678901 已揽收"),
        ("2026-11-19 14:02:05 已到达【武侯营业部】", "2026-11-19 14:02:05 已到达【武侯营业部】"),
        ("尾号138****8000", "尾号***"),
    ],
)
def test_contacts_and_codes_are_removed_from_carrier_remarks(text: str, clean: str) -> None:
    assert public_text(text) == clean


def test_canaries_of_the_order_do_not_survive_in_any_remark() -> None:
    """Pass figure: 0 canaries in 6 remarks."""
    secrets = ["卡纳丽", "Canary Bird", "13612345678", "星光小区 8 栋"]
    remarks = [
        "卡纳丽的快件正在派送",
        "已联系卡纳丽，13612345678",
        "CANARY BIRD was not home",
        "放在星光小区 8 栋门口，１３６１２３４５６７８",
        "136 1234 5678 卡纳丽",
        "收件人:卡纳丽 拒收",
    ]

    cleaned = [public_text(remark, secrets=secrets) for remark in remarks]

    left = [
        secret for secret in [*secrets, "136 1234 5678"] for text in cleaned if secret.lower() in text.lower()
    ]
    assert left == []
    assert cleaned[0] == "***的快件正在派送"


def test_short_secrets_do_not_blank_the_whole_text() -> None:
    assert public_text("已到达李家村", secrets=["李", ""]) == "已到达李家村"
