"""Wordings for single rows: kind → (title, reason, remedy) in Chinese and in English."""

from __future__ import annotations

from orderhub.connectors.files.wording_files import Words

ROW_WORDS: dict[str, Words] = {
    "missing_order_no": (
        ("缺少订单号", "“{column}”为空，无法归入任何订单。", "请补上订单号。"),
        (
            "No order number",
            "“{column}” is blank, so the row belongs to no order.",
            "Fill in the order number.",
        ),
    ),
    "sci_order_no": (
        (
            "订单号成了科学计数法",
            "“{value}”已丢失末尾数字，无法还原。",
            "请重新导出，不要用表格软件保存；或把该列设为文本。",
        ),
        (
            "Order number in scientific notation",
            "“{value}” has lost its last digits.",
            "Export again; do not save it in a spreadsheet.",
        ),
    ),
    "sci_number": (
        (
            "数字成了科学计数法",
            "“{column}”的“{value}”已丢失数字，无法还原。",
            "请重新导出，或把该列设为文本。",
        ),
        (
            "Number in scientific notation",
            "“{value}” in “{column}” has lost digits.",
            "Export again with the column as text.",
        ),
    ),
    "bad_quantity": (
        ("数量不对", "“{column}”的“{value}”不是 {lowest} 到 {highest} 的整数。", "请填写整数。"),
        (
            "Bad quantity",
            "“{value}” in “{column}” is no whole number from {lowest} to {highest}.",
            "Write a whole number.",
        ),
    ),
    "bad_price": (
        (
            "金额不对",
            "“{column}”的“{value}”不是有效金额。",
            "请填写不小于 0 的普通小数，如 12.30，最多 4 位小数。",
        ),
        ("Bad amount", "“{value}” in “{column}” is no amount.", "Write a plain decimal from 0, like 12.30."),
    ),
    "bad_date": (
        ("日期不对", "“{column}”的“{value}”不是存在的日期时间。", "请写成 2026-11-11 09:30:00 这样的格式。"),
        ("Bad date", "“{value}” in “{column}” is no date that exists.", "Write it like 2026-11-11 09:30:00."),
    ),
    "bad_currency": (
        ("币种不对", "“{column}”的“{value}”不是有效币种。", "请填写三个字母的代码，如 CNY。"),
        ("Bad currency", "“{value}” in “{column}” is no currency.", "Write a three-letter code such as CNY."),
    ),
    "bad_boolean": (
        ("是否值不对", "“{column}”的“{value}”看不出是或否。", "请填写 yes、no、是 或 否。"),
        ("Neither yes nor no", "“{value}” in “{column}” is neither yes nor no.", "Write yes or no."),
    ),
    "missing_sku": (
        ("缺少商品编码", "“{column}”为空。", "请补上商品编码。"),
        ("No article number", "“{column}” is blank.", "Fill in the SKU."),
    ),
    "unknown_sku": (
        ("商品编码不存在", "商品资料中没有“{value}”。", "请先导入该商品，或改正编码。"),
        ("Unknown article", "There is no article “{value}”.", "Import the article first or correct the SKU."),
    ),
    "duplicate_sku": (
        ("商品重复", "“{value}”在第 {first_row} 行已经出现。", "请只保留一行。"),
        ("Repeated article", "“{value}” was already in row {first_row}.", "Keep one row only."),
    ),
    "missing_warehouse": (
        ("缺少仓库", "“{column}”为空。", "请填写仓库代码。"),
        ("No warehouse", "“{column}” is blank.", "Fill in the warehouse code."),
    ),
    "unknown_warehouse": (
        ("仓库不存在", "没有代码为“{value}”的仓库。", "请改正仓库代码，或先建立仓库。"),
        (
            "Unknown warehouse",
            "There is no warehouse “{value}”.",
            "Correct the code or create the warehouse first.",
        ),
    ),
    "missing_city": (
        ("缺少城市", "收货地址里看不出城市：“{value}”。", "请补全省、市、区和街道，以空格分开。"),
        ("No city", "The address names no city: “{value}”.", "Fill in province, city, district and street."),
    ),
    "missing_address": (
        ("缺少街道地址", "“{column}”为空。", "请补上街道和门牌。"),
        ("No street address", "“{column}” is blank.", "Fill in street and number."),
    ),
    "missing_recipient": (
        ("缺少收货人", "“{column}”为空。", "请补上收货人姓名。"),
        ("No recipient", "“{column}” is blank.", "Fill in the recipient's name."),
    ),
    "unknown_province": (
        ("省份不存在", "不认识省份“{value}”。", "请填写省、自治区或直辖市的名称。"),
        ("Unknown province", "The province “{value}” is not known.", "Write the official name or code."),
    ),
    "unknown_country": (
        ("国家不存在", "不认识国家“{value}”。", "请填写两个字母的代码，如 CN。"),
        ("Unknown country", "The country “{value}” is not known.", "Write a two-letter code such as CN."),
    ),
    "ragged_row": (
        (
            "列数不对",
            "这一行有 {seen} 列，表头有 {expected} 列。",
            "请检查是否有多余的分隔符，或缺了结尾的列。",
        ),
        (
            "Wrong number of cells",
            "The row has {seen} cells, the header {expected}.",
            "Look for a stray or missing separator.",
        ),
    ),
    "open_quote": (
        ("引号没有闭合", "这一行打开的引号没有结束。", "请删除多余的引号，或写成两个引号。"),
        ("Quote not closed", "A quote opened in this row is never closed.", "Remove it or double it."),
    ),
    "nul_byte": (
        ("含有空字节", "“{column}”里有空字节（NUL）。", "请重新导出或重新输入该单元格。"),
        ("NUL byte", "There is a NUL byte in “{column}”.", "Export again or retype the cell."),
    ),
    "control_character": (
        ("含有控制字符", "“{column}”里有看不见的控制字符。", "请重新输入该单元格。"),
        ("Control character", "There is an invisible control character in “{column}”.", "Retype the cell."),
    ),
    "bad_bytes": (
        (
            "含有无法解码的字节",
            "“{column}”里有不属于本文件编码的字节。",
            "请以同一种编码（建议 UTF-8）重新导出。",
        ),
        (
            "Undecodable bytes",
            "“{column}” has bytes that are not in the file's encoding.",
            "Export it all in UTF-8.",
        ),
    ),
    "long_field": (
        ("内容过长", "“{column}”超过 {limit} 个字符。", "请缩短内容。"),
        ("Cell too long", "“{column}” has more than {limit} characters.", "Shorten it."),
    ),
    "formula_cell": (
        ("单元格是公式", "“{column}”的“{value}”是公式，不是编号。", "请粘贴为值，填写编号本身。"),
        ("Formula in a cell", "“{value}” in “{column}” is a formula, not a number.", "Paste it as a value."),
    ),
    "header_conflict": (
        (
            "同一订单前后不一致",
            "“{column}”与该订单第一次出现的第 {first_row} 行不同。",
            "请让同一订单各行的公共信息一致。",
        ),
        (
            "Rows of one order differ",
            "“{column}” differs from row {first_row} of the same order.",
            "Make the rows agree.",
        ),
    ),
    "order_changed": (
        (
            "订单已存在且内容不同",
            "订单 {order_no} 早先已导入，这次内容不同，未作改动。",
            "如需修改，请在订单页面操作。",
        ),
        (
            "Order exists with other content",
            "Order {order_no} was imported before; nothing was changed.",
            "Edit it on its page.",
        ),
    ),
    "order_closed": (
        (
            "订单已结束",
            "渠道中的状态为“{value}”，不再发货。",
            "如仍需发货，请在导出时只选待发货订单并核对状态。",
        ),
        (
            "Order is closed",
            "The channel says “{value}”: nothing is left to ship.",
            "Export only orders still to be shipped.",
        ),
    ),
    "duplicate_order": (
        ("重复的订单", "订单 {order_no} 的这一行已经出现过，未作改动。", "无需处理。"),
        (
            "Repeated order",
            "This row of order {order_no} was there before; nothing changed.",
            "Nothing needs to be done.",
        ),
    ),
    "detail_without_order": (
        (
            "明细没有订单",
            "没有可用的订单 {order_no} 的主信息行。",
            "请导出包含该订单的订单文件，两份文件选择相同日期。",
        ),
        (
            "Detail without an order",
            "There is no main row for order {order_no}.",
            "Export both for the same dates.",
        ),
    ),
    "order_without_detail": (
        (
            "订单没有明细",
            "没有订单 {order_no} 的商品明细。",
            "请导出包含该订单的明细文件，两份文件选择相同日期。",
        ),
        (
            "Order without details",
            "There are no lines for order {order_no}.",
            "Export both for the same dates.",
        ),
    ),
}
