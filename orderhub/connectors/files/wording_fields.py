"""Wordings for cells of custom fields: kind → (title, reason, remedy) in Chinese and in English."""

from __future__ import annotations

from orderhub.connectors.files.wording_files import Words

_TITLE = ("自定义字段的值不对", "Wrong value of a custom field")
_REMEDY = ("请按字段的要求填写，或留空。", "Fill it in as the field asks, or leave it empty.")
_WHY: dict[str, tuple[str, str]] = {
    "field_unknown": ("没有这个字段", "there is no such field"),
    "field_read_only": ("该字段只能由平台填写", "this field is filled by staff only"),
    "field_required": ("字段 {field} 必填", "the field {field} is required"),
    "field_text": ("须为文本", "must be a text"),
    "field_long": ("最多 {most} 个字符", "at most {most} characters"),
    "field_characters": ("含有无法保存的字符", "contains characters that cannot be stored"),
    "field_integer": ("须为整数", "must be a whole number"),
    "field_number_size": ("数字太大", "the number is too large"),
    "field_decimal": ("须为数字，如 12.5", "must be a number such as 12.5"),
    "field_places": ("最多 {most} 位小数", "at most {most} decimal places"),
    "field_boolean": ("须为 是 或 否", "must be yes or no"),
    "field_date": ("须为存在的日期，如 2026-11-22", "must be a date that exists, such as 2026-11-22"),
    "field_time": ("须为时刻，如 20:30", "must be a time of day, such as 20:30"),
    "field_choice": ("不在选项 {known} 之内", "is none of its choices: {known}"),
    "field_list": ("须为代码列表", "must be a list of codes"),
    "field_most_chosen": ("最多选 {most} 项", "at most {most} choices"),
    "field_link": (
        "须为 https:// 或 http:// 开头的链接",
        "must be a link that begins with https:// or http://",
    ),
    "field_least": ("不能小于 {least}", "must be at least {least}"),
    "field_most": ("不能大于 {most}", "must be at most {most}"),
    "field_length_least": ("至少 {least} 个字符", "at least {least} characters"),
    "field_length_most": ("最多 {most} 个字符", "at most {most} characters"),
    "field_count_least": ("至少选 {least} 项", "at least {least} choices"),
    "field_count_most": ("最多选 {most} 项", "at most {most} choices"),
    "field_pattern": ("不符合格式 {pattern}", "does not follow the pattern {pattern}"),
    "fields_large": (
        "自定义字段合计最多 {most} 个字符",
        "all custom fields together hold at most {most} characters",
    ),
}

FIELD_WORDS: dict[str, Words] = {
    kind: (
        (_TITLE[0], f"“{{column}}”的“{{value}}”：{zh}。", _REMEDY[0]),
        (_TITLE[1], f"“{{value}}” in “{{column}}”: {en}.", _REMEDY[1]),
    )
    for kind, (zh, en) in _WHY.items()
}
