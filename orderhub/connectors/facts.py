"""What connectors tell the log (the folder `kinds` holds connector kinds, so the event kinds live here)."""

from __future__ import annotations

from orderhub.events.kinds import declare

# Written before open messages rang for themselves; logs still tell it.
INBOX_RECEIVED = declare(
    "inbox.received", zh="收到外部消息", en="Messages received", fields=["connection", "messages"]
)
IMPORT_QUEUED = declare("import.queued", zh="导入已排队", en="Import queued", fields=["import"])
IMPORT_FINISHED = declare(
    "import.finished",
    zh="导入已完成",
    en="Import finished",
    fields=["import", "accepted", "unchanged", "refused"],
)
CALL_WISHED = declare(
    "system.call_wished",
    zh="需要调用外部系统",
    en="Call to another system wished",
    fields=["connection", "operation", "reference", "document", "cause"],
)
PROFILE_PUBLISHED = declare(
    "profile.published", zh="接入模板已发布", en="Profile put in force", fields=["profile", "version"]
)
CONNECTION_SILENT = declare(
    "connection.silent",
    zh="外部系统没有消息",
    en="No word from a system",
    fields=["connection", "minutes", "usual"],
)
INBOX_CORRECTED = declare(
    "inbox.corrected",
    zh="外部消息已人工更正",
    en="Message corrected by a person",
    fields=["message", "undone"],
)
CALL_CORRECTED = declare(
    "system.call_corrected",
    zh="对外消息已人工更正",
    en="Message to a system corrected by a person",
    fields=["call", "reference", "undone"],
)
STOCK_PUBLISHED = declare(
    "stock.published",
    zh="已向渠道发布可售数量",
    en="Quantities told to a channel",
    fields=["channel", "items"],
)
