"""Plain sentences for every code of this package, in Chinese and English; pure modules have no gettext.

Templates take the facts of the flaw or fault they word; a fact that is missing becomes a dash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderhub.connectors.speech.flaws import Flaw
from orderhub.connectors.speech.mapping import Fault

Both = tuple[str, str]

#: What is wrong with a body.
UNREADABLE: Mapping[str, Both] = {
    "too_large": ("内容有 {bytes} 字节，超过上限 {most}。", "The body has {bytes} bytes, more than {most}."),
    "too_deep": ("内容嵌套过深。", "The body is nested too deeply."),
    "too_many": ("条目过多，超过上限 {most}。", "There are too many values, more than {most}."),
    "charset": ("内容不是所声明的字符编码，请核对编码设置。", "The body is not in the charset it declares; check the charset."),
    "control": ("内容含有无法保存的控制字符。", "The body has a control character that cannot be kept."),
    "not_json": ("内容不是有效的 JSON。", "The body is not valid JSON."),
    "not_xml": ("内容不是有效的 XML（第 {line} 行）。", "The body is not valid XML (line {line})."),
    "xml_unsafe": ("XML 含有文档类型或实体定义，出于安全不予读取。", "The XML defines a document type or entities; that is never read."),
    "not_form": ("内容不是有效的表单。", "The body is not a valid form."),
    "no_field": ("表单中没有（或重复）字段 {field}。", "The form has no field {field}, or has it twice."),
    "not_rows": ("表格内容无法读取：引号不成对。", "The rows cannot be read: a quotation mark is not closed."),
    "not_edifact": ("内容不是 EDIFACT 报文。", "The body is not an EDIFACT interchange."),
    "edifact_segment": ("EDIFACT 段 {tag} 不在允许的位置。", "The EDIFACT segment {tag} is not where it may be."),
    "edifact_end": ("EDIFACT 报文不完整。", "The EDIFACT interchange ends too early."),
    "edifact_count": ("报文声明 {counted} 段，实际 {found} 段。", "The message says {counted} segments and has {found}."),
    "bad_name": ("“{name}” 不能作为 XML 元素名。", "“{name}” cannot be the name of an XML element."),
}  # fmt: skip

#: What is wrong with one value of a message.
FAULTS: Mapping[str, Both] = {
    **UNREADABLE,
    "missing": ("缺少必填的值。", "A value is missing."),
    "not_number": ("“{value}” 不是数字。", "“{value}” is not a number."),
    "not_whole": ("“{value}” 不是整数。", "“{value}” is not a whole number."),
    "not_bool": ("“{value}” 不是“是”或“否”。", "“{value}” is neither yes nor no."),
    "not_moment": ("“{value}” 不是可识别的时间。", "“{value}” is not a date and time we can read."),
    "no_zone": ("时间 “{value}” 没有时区；请改用 local 并填写时区。", "The time “{value}” has no zone; use the transform local with a zone."),
    "unknown_zone": ("没有名为 {zone} 的时区。", "There is no time zone {zone}."),
    "unknown_value": ("对照表中没有 “{value}”；请在表中补充它的含义。", "The table has no “{value}”; add what it means."),
    "scientific": ("“{value}” 是被表格软件改写的科学计数，原值已丢失；请让对方重新发送。", "“{value}” was rewritten by a spreadsheet and its digits are lost; have it sent again."),
    "too_long": ("文字超过 {most} 个字符。", "The text has more than {most} characters."),
    "not_one_value": ("此处应为一个值，却收到列表或对象；请修改路径。", "One value is wanted here and a list or object came; change the path."),
    "too_much": ("此消息过大，该路径的计算量超出上限；请让对方分批发送，或简化路径。", "The message is too large for this path; have it sent in parts, or make the path simpler."),
    "path_failed": ("路径无法用于此消息：{reason}", "The path cannot work on this message: {reason}"),
    "not_numbers": ("此转换需要至少 {least} 个数字组成的列表；路径请写成 [甲, 乙]。", "A list of at least {least} numbers is wanted; write the path as [a, b]."),
    "not_money": ("此转换需要 [金额, 货币代码]，例如 [1234, 'KWD']。", "An amount with its currency is wanted: [amount, currency]."),
    "not_packed": ("“{value}” 不是 Base64 文字。", "“{value}” is no text in Base64."),
    "not_token": ("令牌需要 [内容, 密钥]，算法为 HS256、HS384、HS512、RS256 或 EdDSA；设有效期时内容须有 iat。", "A token is made of [claims, key] by HS256, HS384, HS512, RS256 or EdDSA; to expire, the claims need iat."),
    "bad_key": ("密钥不适用于此算法；请填写 PEM 或 Base64 格式的密钥。", "The key is none of this algorithm; enter it as PEM or Base64."),
    "bad_header": ("请求头含有不允许的字符。", "The header has characters that are not allowed."),
    "bad_host": ("“{value}” 不能作为主机名。", "“{value}” cannot be a host name."),
    "bad_segment": ("“{value}” 不能作为地址的一段。", "“{value}” cannot be a part of an address."),
    "bad_url": ("“{value}” 不是可用的网址；应以 https:// 开头，且不含参数与账号。", "“{value}” is not a usable address; it begins with https:// and has no parameters and no account."),
}  # fmt: skip

#: What is wrong with a profile or a part of one.
FLAWS: Mapping[str, Both] = {
    "not_object": ("此处应为对象，却是 {found}。", "An object is wanted here, not {found}."),
    "not_list": ("此处应为列表，却是 {found}。", "A list is wanted here, not {found}."),
    "not_text": ("此处应为文字，却是 {found}。", "A text is wanted here, not {found}."),
    "not_whole": ("此处应为整数，却是 {found}。", "A whole number is wanted here, not {found}."),
    "not_bool": ("此处应为 true 或 false，却是 {found}。", "true or false is wanted here, not {found}."),
    "not_number": ("“{value}” 不是数字。", "“{value}” is not a number."),
    "bad_url": ("“{value}” 不是可用的网址；应以 https:// 开头，且不含参数与账号。", "“{value}” is not a usable address; it begins with https:// and has no parameters and no account."),
    "bad_setting": ("内容过长（上限 {most} 个字符）或含有控制字符。", "It is too long ({most} characters at most) or has control characters."),
    "not_a_choice": ("“{value}” 不在可选值中：{choices}。", "“{value}” is none of: {choices}."),
    "out_of_range": ("{value} 不在 {least} 与 {most} 之间。", "{value} is not between {least} and {most}."),
    "missing": ("缺少必填项。", "This is missing."),
    "unknown_word": ("不认识 “{word}”；可用的有：{allowed}。", "“{word}” is not known here; known are: {allowed}."),
    "unknown_name": ("没有名为 {name} 的 {sort}。", "There is no {sort} called {name}."),
    "unknown_form": ("“{value}” 不是可用的格式；可用的有：{forms}。", "“{value}” is no form we read; forms are: {forms}."),
    "unknown_part": ("签名片段 {value} 不存在。", "There is no signature part {value}."),
    "unknown_transform": ("没有名为 {name} 的转换。", "There is no transform {name}."),
    "unknown_setting": ("没有名为 {name} 的设置；请在 asks 中询问它。", "There is no setting {name}; let asks ask for it."),
    "wrong_arguments": ("转换 {name} 的参数个数不对；应为：{wants}。", "{name} takes other arguments: {wants}."),
    "wrong_argument": ("转换 {name} 的参数 “{value}” 不是 {sort}。", "The argument “{value}” of {name} is no {sort}."),
    "twice": ("{value} 出现了两次。", "{value} is there twice."),
    "too_many": ("条目过多，上限 {most}。", "There are too many entries; {most} at most."),
    "too_deep": ("嵌套过深，上限 {most} 层。", "It is nested too deeply; {most} levels at most."),
    "bad_target": ("“{value}” 不能作为字段名。", "“{value}” cannot be the name of a field."),
    "bad_code": ("代码 “{value}” 只能用小写字母、数字和下划线。", "The code “{value}” may have small letters, digits and _ only."),
    "path_long": ("路径过长，上限 {most} 个字符。", "The path is too long; {most} characters at most."),
    "path_wrong": ("路径无法识别：{reason}", "The path cannot be read: {reason}"),
    "path_deep": ("路径嵌套过深。", "The path is nested too deeply."),
    "path_big": ("路径过于复杂，请拆成几个字段。", "The path is too complex; make several fields of it."),
    "path_float": ("路径中的小数请写成文字或整数。", "Write a decimal in a path as a text or a whole number."),
    "path_function": ("路径中没有函数 {function}。", "Paths have no function {function}."),
    "no_place": ("“{value}” 不是位置；应写成 header:名称、query:名称、form:名称 或 json:名称。", "“{value}” is no place; write header:NAME, query:NAME, form:NAME or json:NAME."),
    "no_zone": ("没有名为 {value} 的时区。", "There is no time zone {value}."),
    "no_secret_part": ("签名规则没有用到密钥，任何人都能伪造。", "The rule does not use the secret; anybody could forge it."),
    "enc_and_alg": ("{alg} 与 enc 不匹配：text 算法用 text 或 Base64，其他算法不能用 text。", "{alg} and enc do not fit: the algorithm text is written as text or Base64, others never as text."),
    "unproven": ("规则 {name} 只是摘要，任何人都能算出，不能用来核对来信。", "The rule {name} is a mere digest that anybody can make; no door goes by it."),
    "key_and_alg": ("{alg} 与 key 不匹配：hmac 算法需要 key，其他算法不能有 key。", "{alg} and key do not fit: hmac wants a key, others have none."),
    "code_or_pattern": ("请填写 code 或 pattern。", "Give a code or a pattern."),
    "bad_ending": ("“{value}” 不能作为结尾；应写成 .done 这样。", "“{value}” cannot be an ending; write one such as .done."),
    "means_nothing": ("请填写 status、milestone、event 之一，或设为 ignored。", "Give a status, a milestone or an event, or say ignored."),
    "map_or_ignore": ("请填写 map，或设为 ignore，二者只能选一。", "Give a map or say ignore, not both."),
    "choices_and_kind": ("choices 只能且必须用于 choice 类型。", "choices belong to the kind choice, and it needs them."),
    "url_start": ("地址须以 https:// 或网址类设置开头。", "An address begins with https:// or a setting of kind url."),
    "url_host": ("消息内容不能决定主机名。", "A message cannot choose the host."),
    "pattern_long": ("模式过长。", "The pattern is too long."),
    "pattern_big": ("模式过于复杂。", "The pattern is too complex."),
    "pattern_end": ("模式不完整。", "The pattern ends too early."),
    "pattern_sign": ("模式第 {at} 个字符不允许出现在此处。", "Sign {at} of the pattern may not stand there."),
    "pattern_escape": ("模式第 {at} 个字符的转义不存在。", "There is no such escape at sign {at} of the pattern."),
    "pattern_range": ("模式第 {at} 个字符处的范围有误。", "The range at sign {at} of the pattern is wrong."),
    "pattern_class": ("模式第 {at} 个字符处的集合为空。", "The class at sign {at} of the pattern is empty."),
    "pattern_count": ("模式第 {at} 个字符处的次数有误。", "The count at sign {at} of the pattern is wrong."),
}  # fmt: skip

#: Why a signature was not accepted.
VERDICTS: Mapping[str, Both] = {
    "missing": ("请求没有签名。", "The request carries no signature."),
    "wrong": ("签名不符；请核对密钥与对方后台的设置。", "The signature is wrong; compare the secret with the other system's."),
    "no_timestamp": ("请求没有可读的时间戳。", "The request has no timestamp we can read."),
    "too_old": ("时间戳过旧；请核对对方服务器的时钟。", "The timestamp is too old; check the other system's clock."),
    "too_new": ("时间戳在未来；请核对对方服务器的时钟。", "The timestamp is in the future; check the other system's clock."),
    "no_secret": ("此连接还没有填写密钥。", "This connection has no secret yet."),
    "unsigned": ("对方不签名，只能靠地址保密。", "This system does not sign; only the address is secret."),
}  # fmt: skip

_UNKNOWN: Both = ("出现问题（{code}）。", "Something is wrong ({code}).")


class _Facts(dict[str, Any]):
    def __missing__(self, _name: str) -> str:
        return "–"


def say(table: Mapping[str, Both], code: str, facts: Mapping[str, Any], language: str) -> str:
    """The sentence of a code; Chinese for a language that begins with zh, English for any other."""
    both = table.get(code, _UNKNOWN)
    return both[0 if language.startswith("zh") else 1].format_map(_Facts({"code": code, **facts}))


def flaw(one: Flaw, language: str) -> str:
    """A flaw of a document with its path: `maps.order.fields[3].from: …`."""
    return f"{one.path}: {say(FLAWS, one.code, one.facts, language)}"


def fault(one: Fault, language: str) -> str:
    """A fault of a message with our field and their path: `lines[2].sku (line_items): …`."""
    place = f"{one.field} ({one.path})" if one.path else one.field
    return f"{place}: {say(FAULTS, one.code, {'value': one.value, **one.facts}, language)}".removeprefix(": ")
