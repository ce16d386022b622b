"""What an operator types in when a system is connected, as a profile asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from orderhub.connectors.speech.flaws import Doc

KINDS = ("text", "secret", "url", "number", "choice", "bool")


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing an operator types in when the system is connected."""

    name: str
    zh: str
    en: str
    kind: str = "text"
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    help_zh: str = ""
    help_en: str = ""


def read(doc: Doc) -> tuple[Ask, ...]:
    """The asks of a profile's document; flaws are noted there."""
    found: list[Ask] = []
    for part in doc.children("asks"):
        part.only("name", "zh", "en", "kind", "required", "default", "choices", "help_zh", "help_en")
        ask = Ask(
            name=part.text("name", required=True),
            zh=part.text("zh", required=True),
            en=part.text("en", required=True),
            kind=part.text("kind", "text", choices=KINDS),
            required=part.flag("required"),
            default=part.text("default"),
            choices=part.texts("choices"),
            help_zh=part.text("help_zh"),
            help_en=part.text("help_en"),
        )
        if (ask.kind == "choice") != bool(ask.choices):
            part.note("choices", "choices_and_kind")
        if any(other.name == ask.name for other in found):
            part.note("name", "twice", value=ask.name)
        found.append(ask)
    return tuple(found)
