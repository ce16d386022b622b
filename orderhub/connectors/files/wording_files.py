"""Wordings for whole files: kind → (title, reason, remedy) in Chinese and in English."""

from __future__ import annotations

Words = tuple[tuple[str, str, str], tuple[str, str, str]]

FILE_WORDS: dict[str, Words] = {
    "too_large": (
        ("文件过大", "文件有 {size_mb} MB，上限为 {limit_mb} MB。", "请按日期拆成几个文件分别上传。"),
        ("File too large", "The file has {size_mb} MB; the limit is {limit_mb} MB.", "Split it by date."),
    ),
    "too_many_rows": (
        (
            "行数过多",
            "文件有 {count} 行（含空行），上限为 {limit} 行。",
            "请删除空行，或按日期拆成几个文件。",
        ),
        (
            "Too many rows",
            "The file has {count} rows, blank ones included; the limit is {limit}.",
            "Split it by date.",
        ),
    ),
    "empty_file": (
        ("文件为空", "文件里没有任何内容。", "请重新导出后再上传。"),
        ("Empty file", "There is nothing in the file.", "Export it again and upload the new file."),
    ),
    "header_only": (
        ("只有表头", "表头下面没有任何数据行。", "请检查导出时的日期和状态筛选。"),
        (
            "Only a header",
            "There are no rows below the header.",
            "Check the dates and filters of the export.",
        ),
    ),
    "spreadsheet_file": (
        (
            "这是 Excel 工作簿",
            "文件内容是 .xlsx 工作簿，不是文本。",
            "请在表格软件中“另存为”CSV UTF-8 后上传。",
        ),
        (
            "An Excel workbook",
            "The content is an .xlsx workbook, not text.",
            "Save it as “CSV UTF-8” and upload that.",
        ),
    ),
    "old_spreadsheet_file": (
        (
            "这是旧版 Excel 文件",
            "文件内容是旧版 .xls，不是文本。",
            "请在表格软件中“另存为”CSV UTF-8 后上传。",
        ),
        (
            "An old Excel file",
            "The content is an old .xls file, not text.",
            "Save it as “CSV UTF-8” and upload that.",
        ),
    ),
    "zip_bomb": (
        ("压缩包异常", "压缩包展开后过大或条目过多，未展开。", "请上传未压缩的 CSV 文件。"),
        (
            "Suspicious archive",
            "The archive would unpack to too much; it was not opened.",
            "Upload the plain CSV file.",
        ),
    ),
    "archive_file": (
        ("这是压缩包", "文件内容是压缩包，不是文本。", "请先解压，再上传其中的 CSV 文件。"),
        ("An archive", "The content is an archive, not text.", "Unpack it and upload the CSV file inside."),
    ),
    "pdf_file": (
        ("这是 PDF", "文件内容是 PDF，不是表格。", "请从销售后台导出 CSV 文件。"),
        ("A PDF", "The content is a PDF, not a table.", "Export a CSV file from your shop instead."),
    ),
    "image_file": (
        ("这是图片", "文件内容是图片或影音，不是表格。", "请从销售后台导出 CSV 文件。"),
        (
            "A picture",
            "The content is a picture or recording, not a table.",
            "Export a CSV file from your shop.",
        ),
    ),
    "markup_file": (
        ("这是网页", "文件内容是网页（HTML 或 XML），不是表格文本。", "请用表格软件打开后另存为 CSV UTF-8。"),
        (
            "A web page",
            "The content is HTML or XML, not delimited text.",
            "Open it in a spreadsheet, save as CSV UTF-8.",
        ),
    ),
    "binary_file": (
        ("无法识别的二进制内容", "文件内容不是文本。", "请另存为 CSV UTF-8 后上传。"),
        ("Unknown binary content", "The content is not text.", "Save it as “CSV UTF-8” and upload that."),
    ),
    "duplicate_header": (
        ("列名重复", "这些列名出现了不止一次：{columns}。", "请删除或改名多余的列。"),
        (
            "Repeated columns",
            "These column names occur more than once: {columns}.",
            "Remove or rename the extra ones.",
        ),
    ),
    "unknown_dialect": (
        (
            "无法识别的表头",
            "没有匹配的模板。文件中的列：{columns}。最接近 {nearest}，还缺少：{missing}。",
            "请补上缺少的列，或下载模板对照修改；也可能需要手动选择编码。",
        ),
        (
            "Unknown header",
            "No template matches. Columns seen: {columns}. Nearest is {nearest}, lacking: {missing}.",
            "Add the missing columns or start from the template; the encoding may need to be chosen by hand.",
        ),
    ),
    "missing_pair": (
        ("缺少另一份文件", "淘宝导出需要两份文件，还缺 {missing}。", "请同时选择订单文件和宝贝明细文件。"),
        (
            "Second file missing",
            "A Taobao export is two files; {missing} is absent.",
            "Select both files together.",
        ),
    ),
    "too_many_files": (
        (
            "文件过多",
            "一次选择了 {count} 个文件，它们不属于同一次导出。",
            "请逐个上传；淘宝订单与明细两份一起上传。",
        ),
        (
            "Too many files",
            "{count} files were chosen that are not one export.",
            "Upload them one by one (Taobao: both).",
        ),
    ),
    "encoding_doubt": (
        (
            "编码存疑",
            "按 {encoding} 读取时，开头有 {count} 行无法解码。",
            "若错误很多，请手动选择 GB18030 等编码再试。",
        ),
        (
            "Encoding in doubt",
            "Read as {encoding}, {count} of the first lines do not decode.",
            "Choose the encoding by hand.",
        ),
    ),
    "payment_assumed": (
        ("默认已付款", "文件没有付款时间或状态列，全部按已付款处理。", "如有未付款订单，请加上付款时间列。"),
        (
            "Taken as paid",
            "There is no column for payment, so all orders count as paid.",
            "Add a paid_at column.",
        ),
    ),
}
