"""How the operators' admin looks and what its sidebar lists; imported by the settings: no models here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

COLOR_STEPS = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
BASE = "#f6f7f9 #f1f3f6 #e3e6eb #c9ced7 #97a2b4 #5c6676 #454e5e #3b4960 #273244 #121924 #0b1018"
PRIMARY = "#edf1fe #dfe6fd #c2cffb #a9b8ff #7d92f7 #5b76f2 #3451d1 #2a43b4 #24388f #1f2f72 #151f4a"

# Models the command search (Ctrl K) looks into: those with an indexed, unique number or name.
SEARCHED = [
    "orders.order",
    "fulfillment.parcel",
    "inventory.sku",
    "inventory.warehouse",
    "connectors.connection",
]


@dataclass(frozen=True)
class Link:
    """One line of the sidebar: `target` is a model ("orders.order") or the name of a URL ("admin:index")."""

    title: Text
    icon: str
    target: str
    permission: str = ""


@dataclass(frozen=True)
class Group:
    """A part of the sidebar, with a title if it has several links; shown while at least one of them is."""

    title: Text
    links: tuple[Link, ...]


SIDEBAR: tuple[Group, ...] = (
    Group("", (Link(_("Today"), "home", "admin:index"),)),
    Group(
        _("Orders"),
        (
            Link(_("Orders"), "receipt_long", "orders.order"),
            Link(_("Holds"), "pause_circle", "orders.hold"),
            Link(_("Risk reviews"), "gpp_maybe", "risk.assessment"),
            Link(_("Cross-border checks"), "travel_explore", "compliance.compliancecheck"),
            Link(_("Fulfillment orders"), "inventory", "fulfillment.fulfillmentorder"),
            Link(_("Parcels"), "local_shipping", "fulfillment.parcel"),
            Link(_("Work orders"), "precision_manufacturing", "fulfillment.workorder"),
            Link(_("Returns"), "assignment_return", "fulfillment.return"),
            Link(_("Returned goods"), "assignment_return", "fulfillment.returnreceipt"),
        ),
    ),
    Group(
        _("Routing"),
        (
            Link(_("Warehouse load"), "speed", "routing:board", "inventory.view_warehouse"),
            Link(_("Routing report"), "monitoring", "reports:page", "routing.view_routingreport"),
            Link(_("Strategies"), "route", "routing.strategy"),
            Link(_("Strategy rules"), "rule_settings", "routing.strategyrule"),
            Link(_("Decisions"), "alt_route", "routing.decision"),
            Link(_("Pick waves"), "waves", "routing.pickwave"),
            Link(_("Wave schedules"), "schedule", "routing.waveschedule"),
            Link(_("Prices"), "sell", "routing.pricerow"),
            Link(_("SKU bans"), "block", "routing.skuban"),
            Link(_("Rate cards"), "payments", "fulfillment.ratecard"),
            Link(_("Return rates"), "assignment_return", "routing.returnrate"),
            Link(_("Customs lanes"), "flight_takeoff", "inventory.customslane"),
        ),
    ),
    Group(
        _("Stock"),
        (
            Link(_("Warehouses"), "warehouse", "inventory.warehouse"),
            Link(_("SKUs"), "qr_code_2", "inventory.sku"),
            Link(_("Stock"), "inventory_2", "inventory.stock"),
            Link(_("Movements"), "swap_vert", "inventory.movement"),
            Link(_("Stock reports"), "fact_check", "inventory.stockreport"),
            Link(_("Stock differences"), "difference", "inventory.stockreportline"),
            Link(_("Stock rules"), "tune", "connectors.stockrule"),
            Link(_("Published quantities"), "storefront", "connectors.published"),
            Link(_("Expected receipts"), "schedule", "inventory.expectedreceipt"),
            Link(_("Goods receipts"), "move_to_inbox", "inventory.receipt"),
            Link(_("Make to order"), "factory", "inventory.workshop"),
            Link(_("Bills of materials"), "account_tree", "inventory.bom"),
            Link(_("Components"), "category", "inventory.bomline"),
            Link(_("Cart reservations"), "shopping_cart", "inventory.reservation"),
        ),
    ),
    Group(
        _("Rules"),
        (
            Link(_("Promotions and rules"), "rule", "rules.ruleset"),
            Link(_("Starter library"), "local_library", "library:browse", "rules.view_ruleset"),
            Link(_("Uses of promotions"), "confirmation_number", "orders.promotioncounter"),
            Link(_("Prices explained"), "sell", "orders.pricing"),
            Link(_("SKU costs"), "payments", "orders.skucost"),
            Link(_("Order flows"), "account_tree", "rules.flow"),
            Link(_("Risk policies"), "shield", "risk.riskpolicy"),
            Link(_("Block and trust lists"), "playlist_remove", "risk.key"),
            Link(_("Compliance rules"), "gavel", "compliance.compliancerule"),
            Link(_("Denied-party lists"), "person_off", "compliance.partylist"),
        ),
    ),
    Group(
        _("Tracking"),
        (
            Link(_("Control tower"), "crisis_alert", "center.alert"),
            Link(_("Journeys"), "distance", "tracking.journey"),
            Link(_("Unknown codes"), "label_off", "center.unknowncode"),
            Link(_("Meanings of codes"), "label", "center.meaning"),
            Link(_("Milestones and words"), "translate", "center.milestonekind"),
            Link(_("Milestone templates"), "checklist", "center.journeytemplate"),
            Link(_("Alert rules"), "notifications_active", "center.stallrule"),
            Link(_("Working calendars"), "calendar_month", "center.calendar"),
            Link(_("Holidays"), "event_busy", "center.calendarday"),
            Link(_("Lane times"), "timeline", "center.lanetime"),
            Link(_("Buyers' requests"), "contact_support", "tracking.pagerequest"),
            Link(_("Boards"), "dashboard", "tracking.board"),
            Link(_("Photos and videos"), "photo_library", "tracking.mediafile"),
            Link(_("Notice rules"), "notifications", "tracking.noticerule"),
            Link(_("Notices"), "outgoing_mail", "tracking.notice"),
            Link(_("Page settings"), "web", "tracking.pagesettings"),
            Link(_("Vehicles"), "local_shipping", "tracking.vehicle"),
            Link(_("Devices"), "share_location", "tracking.device"),
            Link(_("Trips"), "moving", "tracking.trip"),
            Link(_("Geofences"), "pin_drop", "tracking.fence"),
            Link(_("Geofence events"), "swap_horiz", "tracking.fencevisit"),
            Link(_("Stray positions"), "wrong_location", "tracking.strayposition"),
            Link(_("EPCIS events"), "hub", "tracking.epcisevent"),
        ),
    ),
    Group(
        _("Carbon"),
        (
            Link(_("Carbon report"), "monitoring", "carbon:reports", "carbon.view_ledgerentry"),
            Link(_("Green delivery"), "psychiatry", "carbon:green", "carbon.view_ledgerentry"),
            Link(_("Ledger entries"), "menu_book", "carbon.ledgerentry"),
            Link(_("Periods"), "lock_clock", "carbon.period"),
            Link(_("Recalculations"), "calculate", "carbon.recompute"),
            Link(_("Data gaps"), "troubleshoot", "admin:carbon_gaps", "carbon.view_ledgerentry"),
            Link(_("Activity data"), "sensors", "carbon.activityrecord"),
            Link(_("Factor sets"), "library_books", "carbon.factorset"),
            Link(_("Factors"), "eco", "carbon.factor"),
            Link(_("Choice of factors"), "rule", "carbon.resolverpolicy"),
            Link(_("Renamed factors"), "translate", "carbon.factoralias"),
            Link(_("Offsets"), "park", "carbon.offsetorder"),
            Link(_("Retirements"), "task", "carbon.retirement"),
            Link(_("Claim words"), "spellcheck", "carbon.claimword"),
            Link(_("Claim checks"), "fact_check", "carbon.claimcheck"),
            Link(_("Product passports"), "qr_code", "carbon.passport"),
            Link(_("Product footprints"), "nutrition", "carbon.productfootprint"),
            Link(_("Reporting profiles"), "tune", "carbon.reportprofile"),
            Link(_("Disclosures"), "outbox", "carbon.disclosure"),
        ),
    ),
    Group(
        _("Connections"),
        (
            Link(_("Connections"), "power", "connectors.connection"),
            Link(_("Inbox"), "inbox", "connectors.inboxmessage"),
            Link(_("Calls"), "call_made", "connectors.call"),
            Link(_("Differences"), "compare_arrows", "connectors.difference"),
            Link(_("Comparisons"), "event_repeat", "connectors.reconciliation"),
            Link(_("Profiles"), "integration_instructions", "connectors.profile"),
            Link(_("Other names"), "translate", "connectors.alias"),
            Link(_("Deliveries"), "outbox", "events.delivery"),
            Link(_("Imports"), "upload_file", "connectors.importbatch"),
        ),
    ),
    Group(
        _("System"),
        (
            Link(_("Merchants"), "storefront", "access.merchant"),
            Link(_("Channels"), "shopping_bag", "orders.channel"),
            Link(_("Custom fields"), "edit_note", "fields.field"),
            Link(_("API keys"), "key", "access.apikey"),
            Link(_("Users"), "group", "access.user"),
            Link(_("Events"), "history", "events.event"),
            Link(_("Cursors"), "bookmark", "events.cursor"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """List the groups with pages that exist and that this user may see; a missing page is left out."""
    groups = []
    for group in SIDEBAR:
        items = [item for link in group.links if (item := _item(link)) is not None]
        if items:
            groups.append({"title": group.title, "items": items, "separator": False, "collapsible": False})
    return groups


def _item(link: Link) -> dict[str, Any] | None:
    address = _address(link.target)
    if address is None:
        return None
    return {"title": link.title, "icon": link.icon, "link": address, "permission": _may_see(link)}


def _address(target: str) -> str | None:
    name = target if ":" in target else f"admin:{target.replace('.', '_')}_changelist"
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def _may_see(link: Link) -> Callable[[HttpRequest], bool]:
    """Ask for the link's own permission, else for seeing or changing the model; a plain page needs none."""
    needed = [link.permission] if link.permission else _model_permissions(link.target)
    return lambda request: not needed or any(request.user.has_perm(name) for name in needed)


def _model_permissions(target: str) -> list[str]:
    if ":" in target:
        return []
    try:
        apps.get_model(target)
    except LookupError:
        return []
    app_label, model_name = target.split(".")
    return [f"{app_label}.view_{model_name}", f"{app_label}.change_{model_name}"]


def has_language_switch(request: HttpRequest) -> bool:
    """Say whether the language form has somewhere to post to."""
    try:
        return bool(reverse("set_language"))
    except NoReverseMatch:
        return False


def _asset(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("OrderHub"),
    "SITE_HEADER": _("OrderHub"),
    "SITE_SYMBOL": "conversion_path",
    "SITE_FAVICONS": [
        {"rel": "icon", "sizes": "32x32", "type": "image/svg+xml", "href": _asset("orderhub/favicon.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_LANGUAGES": has_language_switch,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": dict(zip(COLOR_STEPS, BASE.split(), strict=True)),
        "primary": dict(zip(COLOR_STEPS, PRIMARY.split(), strict=True)),
    },
    "STYLES": [
        _asset("orderhub/tokens.css"),
        _asset("orderhub/core.css"),
        _asset("orderhub/ui.css"),
        _asset("fulfillment/desk.css"),
    ],
    "SCRIPTS": [_asset("orderhub/ui.js")],
    "COMMAND": {"search_models": SEARCHED, "show_history": True},
    "DASHBOARD_CALLBACK": "orderhub.fulfillment.today.dashboard",
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": sidebar,
    },
}
