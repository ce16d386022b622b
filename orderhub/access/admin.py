"""Merchants, people and keys for administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from orderhub.access import keys, services
from orderhub.access.models import ApiKey, IdempotencyKey, Merchant, User
from orderhub.access.scopes import SCOPES
from orderhub.kernel import clock
from orderhub.kernel.errors import Refused

#: An expiry this near is shown as a warning.
SOON = timedelta(days=14)

admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):
    """Roles: named sets of permissions."""


@admin.register(Merchant)
class MerchantAdmin(ModelAdmin):
    """Merchants are switched off, never deleted."""

    list_display = ("code", "name", "name_en", "currency", "time_zone", "is_active", "created_at")
    list_display_links = ("code", "name")
    list_filter = ("is_active",)
    search_fields = ("code", "name", "name_en")
    ordering = ("code",)
    readonly_fields = ("created_at",)

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: bool) -> None:
        """A merchant switched off is out at once."""
        super().save_model(request, obj, form, change)
        keys.forget()

    def has_delete_permission(self, request: HttpRequest, obj: Merchant | None = None) -> bool:
        """Never: orders and the log belong to it."""
        return False


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """People who log in; one with a merchant sees that merchant's pages only."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "merchant", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active", "merchant")
    list_select_related = ("merchant",)
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Merchant"), {"fields": ("merchant", "language")}))
    add_fieldsets = (*UserAdmin.add_fieldsets, (_("Merchant"), {"fields": ("merchant",)}))


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A key's name, merchant and limits; the key itself is made by us."""

    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=[(scope, format_lazy("{} · {}", scope, label)) for scope, label in SCOPES.items()],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Empty means every scope."),
    )

    class Meta:
        model = ApiKey
        fields = ("merchant", "name", "scopes", "rate_per_second", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Keys of merchants: made here and shown once, revoked, never deleted."""

    form = KeyForm
    list_display = ("name", "prefix", "merchant", "state", "last_used_at", "expires_at", "created_at")
    list_filter = ("merchant", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("merchant", "replaced_by")
    search_fields = ("name", "prefix__exact")
    ordering = ("-id",)
    actions = ("rotate", "revoke")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """The merchant stays; dates are written by us."""
        told = ("merchant", "prefix", "created_at", "last_used_at", "replaced_by", "revoked_at")
        return told if obj else ()

    @display(  # type: ignore[untyped-decorator]  # Unfold carries no types
        description=_("state"),
        label={"active": "success", "replaced": "info", "soon": "warning", "ended": "danger"},
    )
    def state(self, obj: ApiKey) -> tuple[str, str]:
        """Whether the key works, and for how long."""
        now = clock.now()
        if obj.revoked_at:
            return "ended", _now("revoked")
        if obj.expires_at and obj.expires_at <= now:
            return "ended", _now("expired")
        if obj.expires_at and obj.expires_at - now <= SOON:
            days = (obj.expires_at - now).days
            return "soon", ngettext("%(count)d day left", "%(count)d days left", days) % {"count": days}
        return "active", _now("in use")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Never: the log names it; revoke it instead."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """A new key is made by the service; its clear text lives until the answer is written."""
        if change:
            super().save_model(request, obj, form, change)
            keys.forget()
            return
        row, clear = services.issue_key(
            obj.merchant, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at
        )
        ApiKey.objects.filter(pk=row.pk).update(rate_per_second=obj.rate_per_second)
        obj.pk, obj.prefix, obj.digest, obj.created_at = row.pk, row.prefix, row.digest, row.created_at
        form.clear_key = clear

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Hand the clear text of a new key to the answer of this same request."""
        super().save_related(request, form, formsets, change)
        form.instance.clear_key = getattr(form, "clear_key", "")

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key, once; it is not put into a message, which would be stored."""
        return self._shown(request, obj, getattr(obj, "clear_key", ""))

    def _shown(self, request: HttpRequest, key: ApiKey, clear: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _now("New API key"),
            "key": key,
            "clear": clear,
            "back": reverse("admin:access_apikey_changelist"),
        }
        return TemplateResponse(request, "admin/access/key_shown.html", context)

    @admin.action(description=_("Rotate the selected key"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Issue the successor of one key and show it; the old one works for a week more."""
        rows = list(queryset[:2])
        if len(rows) != 1:
            messages.error(request, _now("Choose one key: its successor is shown only once."))
            return None
        try:
            successor, clear = services.rotate_key(rows[0], now=clock.now())
        except Refused as fault:
            messages.error(request, str(fault))
            return None
        return self._shown(request, successor, clear)

    @admin.action(description=_("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Make keys useless from now on."""
        count = services.revoke_keys(queryset, now=clock.now())
        words = ngettext("%(count)d key was revoked.", "%(count)d keys were revoked.", count)
        messages.success(request, words % {"count": count})


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ModelAdmin):
    """Answers once given, kept for a while so that a repeat gets the same one; read only."""

    list_display = ("key", "merchant", "status", "created_at")
    list_filter = ("merchant",)
    list_select_related = ("merchant",)
    search_fields = ("key__exact",)
    ordering = ("-id",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: the API writes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: IdempotencyKey | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: IdempotencyKey | None = None) -> bool:
        """Never: a repeat would be done twice."""
        return False
