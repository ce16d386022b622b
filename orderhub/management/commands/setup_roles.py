"""`manage.py setup_roles`: five groups with no more rights than their work needs; safe to run again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q

#: Group name (in both languages, since groups have one name); per app, the models it may view; more rights.
ROLES: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "operator": (
        "履约运营 operator",
        {
            "orders": "order orderline hold channel pricing promotioncounter skucost",
            "risk": "riskpolicy risksignal riskpolicyversion assessment review key label",
            "compliance": "compliancerule compliancecheck customsgoods exchangerate goodslist paper partylist party clearance",
            "fulfillment": "fulfillmentorder fulfillmentline parcel parcelline ratecard ratezone returnreceipt "
            "returnreceiptline workorder workstep componenthold",
            "inventory": "warehouse sku stock movement reservation reservationline warehouseday expectedreceipt "
            "workshop customslane stockreport stockreportline receipt receiptline bom bomline bomalternative",
            "routing": "strategy strategyversion strategyrule decision pricerow pricebook pricesettings skuban "
            "warehouselever waveschedule pickwave returnrate routingreport recommendation reportsubscription",
            "fields": "field",
            "rules": "ruleset rule ruleversion flow",
            "center": "alert stallrule unknowncode meaning milestonekind sentence calendar calendarday journeytemplate "
            "templatestep orderplan lanetime",
            "tracking": "journey timelineentry position vehicle device fitting trip tripparcel fence fencevisit strayposition "
            "pagesettings pagerequest noticerule notice optout board mediafile mediaview epcisevent",
            "carbon": "ledgerentry calculationrun",
            "connectors": "connection inboxmessage importbatch importfile refusedrow stockrule published channelpace call "
            "profile profileversion alias pollmark traffic difference reconciliation",
            "events": "event delivery parkedevent cursor",
            "access": "merchant",
        },
        (
            "center.change_alert",
            "center.add_meaning",
            "center.change_meaning",
            "orders.change_order",
            "orders.add_hold",
            "orders.change_hold",
            "orders.add_cancellation",
            "orders.add_followup",
            "risk.add_review",
            "compliance.change_compliancecheck",
            "compliance.add_customsgoods",
            "compliance.change_customsgoods",
            "compliance.add_paper",
            "compliance.change_paper",
            "inventory.change_warehouse",
            "inventory.change_stock",
            "inventory.change_stockreportline",
            "inventory.add_expectedreceipt",
            "inventory.change_expectedreceipt",
            "inventory.add_workshop",
            "inventory.change_workshop",
            "inventory.add_bom",
            "inventory.change_bom",
            "inventory.add_bomline",
            "inventory.change_bomline",
            "inventory.delete_bomline",
            "inventory.add_bomalternative",
            "inventory.change_bomalternative",
            "inventory.delete_bomalternative",
            "fulfillment.change_workorder",
            "fulfillment.change_returnreceipt",
            "inventory.add_customslane",
            "inventory.change_customslane",
            "inventory.delete_customslane",
            "routing.add_waveschedule",
            "routing.change_waveschedule",
            "routing.add_skuban",
            "routing.change_skuban",
            "routing.delete_skuban",
            "routing.add_routingreport",
            "routing.change_recommendation",
            "routing.add_reportsubscription",
            "routing.change_reportsubscription",
            "routing.delete_reportsubscription",
            *(
                f"tracking.{verb}_{name}"
                for verb in ("add", "change")
                for name in ("vehicle", "device", "trip", "fence")
            ),
            *(
                f"tracking.{verb}_{name}"
                for verb in ("add", "change", "delete")
                for name in ("fitting", "tripparcel")
            ),
            "events.change_delivery",
            "events.change_parkedevent",
            "connectors.change_inboxmessage",
            "connectors.change_connection",
            "connectors.change_call",
            "connectors.change_difference",
            "connectors.add_alias",
            "connectors.change_alias",
            "connectors.delete_alias",
            "connectors.add_stockrule",
            "connectors.change_stockrule",
        ),
    ),
    "integrator": (
        "接入 integrator",
        {
            "connectors": "connection inboxmessage call profile profileversion alias pollmark traffic difference "
            "reconciliation",
            "orders": "order channel",
            "inventory": "warehouse sku",
            "fulfillment": "ratecard",
            "events": "event delivery",
            "access": "merchant",
        },
        (
            "connectors.add_connection",
            "connectors.change_connection",
            "connectors.change_inboxmessage",
            "connectors.change_call",
            "connectors.change_difference",
            "connectors.add_profile",
            "connectors.change_profile",
            "connectors.add_profileversion",
            "connectors.add_alias",
            "connectors.change_alias",
            "connectors.delete_alias",
            "orders.add_channel",
            "orders.change_channel",
            "inventory.add_warehouse",
        ),
    ),
    "strategist": (
        "策略 strategist",
        {
            "orders": "order orderline hold channel pricing promotioncounter skucost",
            "risk": "riskpolicy risksignal riskpolicyversion assessment review key label",
            "compliance": "compliancerule compliancecheck customsgoods exchangerate goodslist paper partylist party clearance",
            "fulfillment": "fulfillmentorder fulfillmentline parcel parcelline ratecard ratezone",
            "inventory": "warehouse sku stock movement reservation reservationline warehouseday expectedreceipt "
            "workshop customslane stockreport stockreportline bom bomline bomalternative",
            "connectors": "stockrule published channelpace",
            "routing": "strategy strategyversion strategyrule decision pricerow pricebook pricesettings skuban "
            "warehouselever waveschedule pickwave returnrate routingreport recommendation reportsubscription",
            "fields": "field",
            "rules": "ruleset rule ruleversion flow",
            "carbon": "ledgerentry calculationrun",
            "access": "merchant",
        },
        (
            "routing.add_strategy",
            "routing.change_strategy",
            "routing.add_strategyrule",
            "routing.change_strategyrule",
            "routing.delete_strategyrule",
            "routing.add_pricesettings",
            "routing.change_pricesettings",
            "routing.add_waveschedule",
            "routing.change_waveschedule",
            "routing.add_skuban",
            "routing.change_skuban",
            "routing.delete_skuban",
            "routing.add_routingreport",
            "routing.change_recommendation",
            "routing.add_reportsubscription",
            "routing.change_reportsubscription",
            "routing.delete_reportsubscription",
            "risk.add_riskpolicy",
            "risk.change_riskpolicy",
            "risk.add_risksignal",
            "risk.change_risksignal",
            "risk.delete_risksignal",
            "risk.add_riskpolicyversion",
            "compliance.add_compliancerule",
            "compliance.change_compliancerule",
            "compliance.activate_compliancerule",
            "compliance.add_exchangerate",
            "compliance.change_exchangerate",
            "compliance.add_goodslist",
            "compliance.change_goodslist",
            "orders.add_skucost",
            "orders.change_skucost",
            "fields.add_field",
            "fields.change_field",
            "rules.add_ruleset",
            "rules.change_ruleset",
            "rules.add_rule",
            "rules.change_rule",
            "rules.delete_rule",
            "rules.add_ruleversion",
            "rules.add_flow",
            "rules.change_flow",
            "inventory.add_workshop",
            "inventory.change_workshop",
            "inventory.add_customslane",
            "inventory.change_customslane",
            "inventory.delete_customslane",
            "fulfillment.add_ratecard",
            "fulfillment.change_ratecard",
            "fulfillment.add_ratezone",
            "fulfillment.change_ratezone",
            "fulfillment.delete_ratezone",
        ),
    ),
    "carbon": (
        "碳管理 carbon",
        {
            "carbon": "factorset factor factoralias resolverpolicy factorchoice calculationrun ledgerentry carbonhead period "
            "recompute activityrecord reportprofile disclosure claimword "
            "claimtext claimcheck offsetproject offsetplan offsetorder retirement productfootprint pactevent "
            "passport greensetting greenpool greenchoice greenexposure",
            "orders": "order orderline channel",
            "fulfillment": "fulfillmentorder fulfillmentline parcel parcelline",
            "inventory": "warehouse sku",
            "access": "merchant",
        },
        (
            "carbon.add_factorset",
            "carbon.change_factorset",
            "carbon.add_factor",
            "carbon.change_factor",
            "carbon.add_factoralias",
            "carbon.change_factoralias",
            "carbon.delete_factoralias",
            "carbon.add_resolverpolicy",
            "carbon.change_resolverpolicy",
            "carbon.add_period",
            "carbon.add_recompute",
            *(
                f"carbon.{verb}_{model}"
                for model in (
                    "reportprofile",
                    "claimword",
                    "claimtext",
                    "offsetproject",
                    "offsetplan",
                    "passport",
                    "greensetting",
                )
                for verb in ("add", "change")
            ),
            "carbon.override_claimcheck",
            "carbon.add_retirement",
            "carbon.add_productfootprint",
        ),
    ),
    "support": (
        "客服 support",
        {
            "orders": "order orderline hold channel pricing promotioncounter skucost",
            "fulfillment": "fulfillmentorder fulfillmentline parcel parcelline returnreceipt returnreceiptline "
            "workorder workstep",
            "tracking": "journey timelineentry",
            "inventory": "sku",
            "access": "merchant",
        },
        ("orders.add_hold", "orders.add_cancellation", "orders.add_followup"),
    ),
}


class Command(BaseCommand):
    """Makes the groups, or sets their rights back to what is written here."""

    help = "Make the groups operator, integrator, strategist, carbon and support with the rights they need."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Write each group and say how many rights it has; a right that does not exist is an error."""
        for code, (name, viewed, more) in ROLES.items():
            wanted = wanted_permissions(viewed, more)
            found = find(wanted)
            group = Group.objects.filter(name__endswith=f" {code}").first() or Group(name=name)
            group.name = name
            group.save()
            group.permissions.set(found.values())
            self.stdout.write(f"  {name}: {len(found)}")


def wanted_permissions(viewed: dict[str, str], more: tuple[str, ...]) -> set[tuple[str, str]]:
    """The rights of a role as (app label, code name)."""
    seeing = {(app, f"view_{model}") for app, models in viewed.items() for model in models.split()}
    return seeing | {(app, code) for app, _dot, code in (right.partition(".") for right in more)}


def find(wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Permission]:
    """The stored permissions; raises LookupError naming those that do not exist."""
    matches = Q()
    for app, code in wanted:
        matches |= Q(content_type__app_label=app, codename=code)
    rows = Permission.objects.filter(matches).select_related("content_type")
    found = {(row.content_type.app_label, row.codename): row for row in rows}
    missing = sorted(wanted - found.keys())
    if missing:
        raise LookupError(f"no such permissions: {missing}")
    return found
