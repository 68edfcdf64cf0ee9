"""What people do with the feed."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Greatest

from lifecycle.models import FeedMark, User


def mark_read(upto: int, *, acting_user: User) -> None:
    """This user has read the feed up to this event; never less far than before."""
    FeedMark.objects.get_or_create(user=acting_user)
    FeedMark.objects.filter(user=acting_user).update(last_seen=Greatest(F("last_seen"), upto))
