"""What is asked for each way in besides the door: where the folder, the mailbox or the table is, and how one gets there."""

from __future__ import annotations

from dataclasses import replace

from orderhub.connectors.speech.asking import Ask

FILES, MAIL, TABLE = "files", "mail", "table"


def of(kind: str, name: str, moved_by: str, column: str) -> tuple[Ask, ...]:
    """The asks of a kind; for a table with what the profile says of its name and columns."""
    if kind != TABLE:
        return _FILE_ASKS if kind == FILES else _MAIL_ASKS
    usual = {"table_name": name, "table_moved_by": moved_by, "table_id": column}
    return tuple(replace(one, default=usual.get(one.name) or one.default) for one in _TABLE_ASKS)


_FILE_ASKS = (
    Ask("files_on", "从文件夹取文件", "Fetch files from a folder", "bool"),
    Ask("files_place", "文件夹在哪里", "Where the folder is", "choice", default="here", choices=("here", "sftp"),
        help_zh="本服务器上的文件夹，路径见连接页面；或者对方的 SFTP 服务器。",
        help_en="On this server it is named on the connection's page; or an SFTP server of theirs."),
    Ask("files_folder", "文件夹名", "Name of the folder", default="",
        help_zh="本服务器：位于本商户的投递目录之下，如 carrier/in，留空则用连接代码。SFTP：对方的路径，如 /outbox，留空则用登录后所在的目录。",
        help_en="On this server: below the merchant's drop folder, for example carrier/in; empty: the code of the connection. SFTP: their path, for example /outbox; empty: where one arrives."),
    Ask("files_pattern", "只取这些文件", "Only these files",
        help_zh="如 *.edi *.txt；留空按模板。", help_en="For example *.edi *.txt; empty: as the profile says."),
    Ask("sftp_host", "SFTP 主机", "SFTP host"),
    Ask("sftp_port", "SFTP 端口", "SFTP port", "number", default="22"),
    Ask("sftp_user", "SFTP 用户", "SFTP user"),
    Ask("sftp_password", "SFTP 密码", "SFTP password", "secret"),
    Ask("sftp_key", "SFTP 私钥", "SFTP private key", "secret",
        help_zh="OpenSSH 格式的整段私钥；填了就不用密码。", help_en="A whole private key in OpenSSH's form; with it no password is used."),
    Ask("sftp_host_key", "主机指纹", "Fingerprint of the host",
        help_zh="形如 SHA256:…，请向对方索取；按“测试”会显示对方出示的指纹。", help_en="SHA256:…, as they told you; Test shows the one the host presents."),
)  # fmt: skip
_MAIL_ASKS = (
    Ask("mail_on", "取邮件附件", "Fetch attachments of mails", "bool"),
    Ask("mail_host", "IMAP 主机", "IMAP host"),
    Ask("mail_port", "IMAP 端口", "IMAP port", "number", default="993"),
    Ask("mail_tls", "加密方式", "Encryption", "choice", default="tls", choices=("tls", "starttls"),
        help_zh="TLS 多用端口 993，STARTTLS 多用 143。从不明文登录。",
        help_en="TLS is mostly at port 993, STARTTLS at 143. Nobody logs in in the clear."),
    Ask("mail_user", "邮箱用户", "User of the mailbox"),
    Ask("mail_password", "邮箱密码", "Password of the mailbox", "secret",
        help_zh="多数邮箱要用“应用专用密码”。", help_en="Most providers want a password made for one application."),
    Ask("mail_folder", "邮件文件夹", "Folder of the mailbox", default="INBOX"),
    Ask("mail_senders", "允许的发件人", "Senders that are taken",
        help_zh="地址或 @域名，用逗号分隔；其他人的附件不读取，列入收件箱待人处理。",
        help_en="Addresses or @domains, with commas; attachments of others are not read, they wait in the inbox for a person."),
    Ask("mail_checked_by", "由谁验证发件人", "Who checks senders",
        help_zh="你方邮件服务器在 Authentication-Results 中的名字；填了就只收它验证通过（DMARC，或发件人域名的 DKIM）的邮件。",
        help_en="The name of your mail server in Authentication-Results; with it only mails that passed its check (DMARC, or DKIM of the sender's domain) are taken."),
    Ask("mail_pattern", "只取这些附件", "Only these attachments",
        help_zh="如 *.csv *.tsv；留空按模板。", help_en="For example *.csv *.tsv; empty: as the profile says."),
)  # fmt: skip
_TABLE_ASKS = (
    Ask("table_on", "读取数据库表", "Read a table of a database", "bool"),
    Ask("table_engine", "数据库", "Database", "choice", default="postgresql", choices=("postgresql", "mysql")),
    Ask("table_host", "数据库主机", "Host of the database",
        help_zh="内网地址须先由服务器管理员写入 HUB_TABLE_HOSTS。",
        help_en="An address in a private network must be named in HUB_TABLE_HOSTS by whoever runs the server."),
    Ask("table_port", "端口", "Port", "number", help_zh="留空：5432 或 3306。", help_en="Empty: 5432 or 3306."),
    Ask("table_tls", "加密方式", "Encryption", "choice", default="checked", choices=("checked", "encrypted", "none"),
        help_zh="不加密仅限自己的内网。",
        help_en="Not encrypted: in your own network only."),
    Ask("table_database", "库名", "Name of the database"),
    Ask("table_user", "用户", "User",
        help_zh="请建一个只有该表（或视图）SELECT 权限的用户。", help_en="Make one that may SELECT from this table (or view) and nothing else."),
    Ask("table_password", "密码", "Password", "secret"),
    Ask("table_name", "表或视图", "Table or view", help_zh="如 wms.ship_confirm。", help_en="For example wms.ship_confirm."),
    Ask("table_moved_by", "水位列", "Column that moves on",
        help_zh="更新时间，或只增不减的编号；须有索引，且不为空。", help_en="The time of the last change, or a number that only grows; indexed and never empty."),
    Ask("table_id", "编号列", "Column that tells rows apart",
        help_zh="水位列是时间时必填：同一时刻的行按它排序。", help_en="Needed where that column is a time: rows of the same moment go by it."),
    Ask("table_from", "从哪里开始", "Where to begin", "choice", default="new", choices=("new", "all"),
        help_zh="已有的行很多时，全部读取需要一些时间。", help_en="Where there are many rows, reading all of them takes a while."),
)  # fmt: skip
