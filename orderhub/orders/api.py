"""Channels by API, to read: where the merchant's orders come from."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets

from orderhub.access.authentication import merchant_of
from orderhub.access.etags import TaggedDetail
from orderhub.access.filters import Filter
from orderhub.access.sparse import SparseFields
from orderhub.orders.models import Channel


class ChannelSerializer(serializers.ModelSerializer[Channel]):
    """A shop or marketplace."""

    class Meta:
        model = Channel
        fields = ["id", "code", "name", "name_en", "kind", "time_zone", "merge_window_seconds", "is_active"]


class ChannelViewSet(
    SparseFields,
    TaggedDetail,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Channel],
):
    """Channels of the merchant; they are made in the admin."""

    scope = "channels"
    serializer_class = ChannelSerializer
    queryset = Channel.objects.none()
    orderings = {"code": ("code", "id"), "-code": ("-code", "-id")}
    filters = {
        "code": Filter("code", text="The channel's code."),
        "is_active": Filter("is_active", "flag", "Whether it takes orders."),
    }

    def get_queryset(self) -> QuerySet[Channel]:
        """The caller's own rows only."""
        return Channel.objects.filter(merchant=merchant_of(self.request))
