"""What connectors tell the log (the folder `kinds` holds connector kinds, so the event kinds live here)."""

from __future__ import annotations

from orderhub.events.kinds import declare

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
