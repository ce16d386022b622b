"""What merchants set for their pages, what buyers asked for on them, whom we write to, and boards."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors.models import Connection
from orderhub.fulfillment.models import Parcel
from orderhub.orders.models import Channel, Order

MOST_ORIGINS = 20
_HOST = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$", re.IGNORECASE)


def validate_origins(value: object) -> None:
    """Raises ValidationError for what is no list of origins such as https://shop.example."""
    if not isinstance(value, list) or len(value) > MOST_ORIGINS:
        raise ValidationError(_("A list of at most 20 origins."))
    for one in value:
        parts = urlsplit(str(one))
        local = parts.hostname in ("localhost", "127.0.0.1")
        plain = not (parts.path or parts.query or parts.fragment or parts.username)
        if (
            parts.scheme not in ("https", *(["http"] if local else []))
            or not plain
            or not _HOST.match(parts.netloc)
        ):
            raise ValidationError(
                _("%(origin)s is no origin. Write it as https://shop.example."), params={"origin": one}
            )


class PageSettings(models.Model):
    """How a merchant's tracking pages look, where they may be embedded, and what they take."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("as the device")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    merchant = models.OneToOneField(
        Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE, related_name="page_settings"
    )
    allowed_origins = models.JSONField(
        _("sites that may embed it"), default=list, blank=True, validators=[validate_origins],
        help_text=_('As a list: ["https://shop.example"]. Empty: nobody.'),
    )  # fmt: skip
    theme = models.CharField(_("theme"), max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    accent = models.CharField(
        _("accent color"), max_length=7, blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Six hexadecimal digits after #."))],
        help_text=_("Of links and buttons, as #3451d1. It needs enough contrast to white."),
    )  # fmt: skip
    takes_address = models.BooleanField(_("takes address changes"), default=True)
    takes_preference = models.BooleanField(_("takes delivery preferences"), default=True)
    takes_return = models.BooleanField(_("takes return requests"), default=True)
    takes_complaint = models.BooleanField(_("takes complaints"), default=True)

    class Meta:
        verbose_name = _("page settings")
        verbose_name_plural = _("page settings")

    def __str__(self) -> str:
        return str(self.merchant)

    def clean(self) -> None:
        """White letters must be readable on the accent."""
        if self.accent and contrast_to_white(self.accent) < 4.5:
            raise ValidationError({"accent": _("Too light: white letters on it could not be read.")})


def contrast_to_white(color: str) -> float:
    """WCAG's contrast ratio of #rrggbb to white, 1 to 21."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


class PageRequest(models.Model):
    """What a buyer asked for on the page: a delivery preference, a return, or a complaint; with its own outcome."""

    class Kind(models.TextChoices):
        PREFERENCE = "preference", _("delivery preference")
        RETURN = "return", _("return request")
        COMPLAINT = "complaint", _("complaint")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="page_requests"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    choice = models.CharField(_("choice"), max_length=20, blank=True)
    text = models.CharField(_("in their words"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    answer = models.CharField(_("answer"), max_length=300, blank=True, help_text=_("The buyer reads it."))
    asked_at = models.DateTimeField(_("asked at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.CharField(_("answered by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("buyer's request")
        verbose_name_plural = _("buyers' requests")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"], condition=Q(state="open"), name="tracking_request_one_open"
            )
        ]
        indexes = [models.Index(fields=["asked_at"], name="tracking_request_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"


class NoticeRule(models.Model):
    """Which milestones are written to whom, by which way, and when not."""

    class Way(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("text message")
        WEBHOOK = "webhook", _("webhook")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    name = models.CharField(_("name"), max_length=80)
    way = models.CharField(_("way"), max_length=7, choices=Way.choices, default=Way.EMAIL)
    milestones = models.JSONField(
        _("milestones"), default=list, help_text=_('As a list of codes: ["SHIPPED", "DELIVERED"].')
    )
    connection = models.ForeignKey(
        Connection, verbose_name=_("connection"), on_delete=models.CASCADE, null=True, blank=True,
        help_text=_("The partner that sends text messages or receives the webhook."),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=7, default="zh-hans", choices=[("zh-hans", "简体中文"), ("en", "English")]
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    merge_minutes = models.PositiveSmallIntegerField(
        _("gather for minutes"), default=10, validators=[MinValueValidator(0), MaxValueValidator(1440)],
        help_text=_("What happens to an order within this time is told in one message."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("notice rule")
        verbose_name_plural = _("notice rules")
        constraints = [models.UniqueConstraint(fields=["merchant", "name"], name="tracking_notice_rule")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Known milestones; a partner of the same merchant where one is needed; quiet hours whole or not at all."""
        codes = self.milestones
        if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
            raise ValidationError({"milestones": _("Name at least one milestone.")})
        if self.way != self.Way.EMAIL and self.connection is None:
            raise ValidationError({"connection": _("Choose the partner that takes the messages.")})
        if self.connection is not None and self.connection.merchant_id != self.merchant_id:
            raise ValidationError({"connection": _("The connection belongs to another merchant.")})
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError({"quiet_until": _("Quiet hours need a beginning and an end.")})


class OptOut(models.Model):
    """A contact that wants no messages of a merchant by a way; kept as a hash, so that an erased person stays unknown."""

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.CASCADE)
    way = models.CharField(_("way"), max_length=7, choices=NoticeRule.Way.choices)
    contact_hash = models.CharField(max_length=64, editable=False)
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        constraints = [
            models.UniqueConstraint(fields=["merchant", "way", "contact_hash"], name="tracking_opt_out_once")
        ]

    def __str__(self) -> str:
        return f"{self.way} {self.contact_hash[:8]}"


class Notice(models.Model):
    """A message that was sent, or why it was not: what a person sees when a buyer says that nothing came."""

    class State(models.TextChoices):
        SENT = "sent", _("sent")
        SKIPPED = "skipped", _("not sent")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    rule = models.ForeignKey(NoticeRule, verbose_name=_("rule"), on_delete=models.SET_NULL, null=True)
    order = models.ForeignKey(
        Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="notices"
    )
    # Event and rule: told again, it is not sent again. What was gathered shares one message.
    key = models.CharField(max_length=80, unique=True, editable=False)
    way = models.CharField(_("way"), max_length=7, choices=NoticeRule.Way.choices)
    state = models.CharField(_("state"), max_length=7, choices=State.choices)
    reason = models.CharField(_("reason"), max_length=20, blank=True)
    to = models.CharField(_("to"), max_length=80, blank=True, help_text=_("Its middle is hidden."))
    text = models.TextField(_("text"), blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return f"{self.way} {self.state} {self.at:%Y-%m-%d %H:%M}"


class Board(models.Model):
    """Several orders on one page, for a customer (VIP) or a business partner, by its own link.

    The orders are those of a telephone number or those of a channel, and those named one by one.
    """

    class Kind(models.TextChoices):
        VIP = "vip", _("customer")
        B2B = "b2b", _("business partner")

    class Block(models.TextChoices):
        NOW = "now", _("where it is and when it comes")
        PRODUCTION = "production", _("production and quality")
        STEPS = "steps", _("all steps")
        PARCELS = "parcels", _("parcels")
        MEDIA = "media", _("photos, videos, certificates")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=120, help_text=_("The reader sees it."))
    kind = models.CharField(_("kind"), max_length=3, choices=Kind.choices, default=Kind.VIP)
    phone = models.CharField(
        _("telephone number of the customer"), max_length=60, blank=True,
        help_text=_("All orders received under this number; written as in the orders."),
    )  # fmt: skip
    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), on_delete=models.PROTECT, null=True, blank=True,
        help_text=_("All orders of this channel."),
    )  # fmt: skip
    orders = models.ManyToManyField(Order, verbose_name=_("orders"), blank=True, related_name="+")
    blocks = models.JSONField(
        _("blocks"),
        default=list,
        blank=True,
        help_text=_("In their order; empty means all that fit the kind."),
    )
    days = models.PositiveSmallIntegerField(
        _("days back"), default=180, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    nonce = models.PositiveIntegerField(default=0, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("link valid until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("board")
        verbose_name_plural = _("boards")
        constraints = [models.UniqueConstraint(fields=["merchant", "name"], name="tracking_board_name")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Blocks that exist, and a channel of the same merchant."""
        known = set(self.Block.values)
        if not isinstance(self.blocks, list) or not set(map(str, self.blocks)) <= known:
            raise ValidationError(
                {"blocks": _("Choose of: %(known)s.") % {"known": ", ".join(sorted(known))}}
            )
        if self.channel is not None and self.channel.merchant_id != self.merchant_id:
            raise ValidationError({"channel": _("The channel belongs to another merchant.")})


class MediaFile(models.Model):
    """A photo, video or certificate of an order's way; the file lies apart and is reached by signed links only."""

    class Kind(models.TextChoices):
        IMAGE = "image", _("photo")
        VIDEO = "video", _("video")
        DOCUMENT = "document", _("document")

    class Step(models.TextChoices):
        PRODUCTION = "production", _("production")
        QUALITY = "quality", _("quality check")
        PACKING = "packing", _("packing")
        HANDOVER = "handover", _("handover")
        CERTIFICATE = "certificate", _("certificate")

    class Audience(models.TextChoices):
        BUYER = "buyer", _("buyer's page")
        BOARD = "board", _("boards only")
        STAFF = "staff", _("staff only")

    merchant = models.ForeignKey(Merchant, verbose_name=_("merchant"), on_delete=models.PROTECT)
    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.CASCADE, related_name="media")
    parcel = models.ForeignKey(
        Parcel,
        verbose_name=_("parcel"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="media",
    )
    step = models.CharField(_("step"), max_length=11, choices=Step.choices, default=Step.PACKING)
    audience = models.CharField(
        _("who sees it"), max_length=5, choices=Audience.choices, default=Audience.BUYER
    )
    title = models.CharField(_("title"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, editable=False)
    content_type = models.CharField(_("file type"), max_length=40, editable=False)
    bytes = models.PositiveBigIntegerField(_("bytes"), editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    path = models.CharField(max_length=200, editable=False)
    thumb_path = models.CharField(max_length=200, blank=True, editable=False)
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    added_at = models.DateTimeField(_("added at"))
    added_by = models.CharField(_("added by"), max_length=80, blank=True)
    keep_until = models.DateTimeField(_("kept until"))
    views = models.PositiveIntegerField(_("views"), default=0)

    class Meta:
        verbose_name = _("media file")
        verbose_name_plural = _("media files")
        constraints = [
            models.UniqueConstraint(fields=["order", "sha256", "step"], name="tracking_media_once")
        ]
        indexes = [models.Index(fields=["keep_until"], name="tracking_media_keep")]

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.pk}"


class MediaView(models.Model):
    """Somebody looked at a file: through which link, when."""

    media = models.ForeignKey(
        MediaFile, verbose_name=_("media file"), on_delete=models.CASCADE, related_name="looks"
    )
    at = models.DateTimeField(_("at"))
    who = models.CharField(_("who"), max_length=80)
    address = models.CharField(_("network"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("look at a media file")
        verbose_name_plural = _("looks at media files")
        indexes = [models.Index(fields=["at"], name="tracking_look_at")]

    def __str__(self) -> str:
        return f"{self.media_id} {self.who}"
