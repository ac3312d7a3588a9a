"""Whether somebody may, by SubjectAccessReview.

An HPA controller asks for thousands of objects, and one review for each and every sync would be thousands a second. So
the first question is for the whole group, and only who may not have that is asked about one thing at a time.
"""

from adapter.access.attributes import Attributes
from adapter.access.authenticate import Reviews
from adapter.access.cache import Cache
from adapter.access.users import MASTERS, User
from cme.core.clock import Clock

ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
KEPT_MS = 60_000
"""A revoked permission is believed for so long at most."""
DENIED_KEPT_MS = 10_000
"""Shorter, so that one who was given a permission need not wait."""
REMEMBERED = 8192


class Authorizer:
    def __init__(self, reviews: Reviews, clock: Clock) -> None:
        self._reviews = reviews
        keep: dict[bool, int] = {True: KEPT_MS, False: DENIED_KEPT_MS}
        self._answers: Cache[bool] = Cache(clock, keep.__getitem__, REMEMBERED)

    async def allows(self, user: User, attributes: Attributes) -> bool:
        """Raises KubeFailed when nobody can tell: that is no yes."""
        if MASTERS in user.groups:
            return True
        if attributes.group and await self._ask(user, attributes.whole_group()):
            return True
        return await self._ask(user, attributes)

    async def _ask(self, user: User, attributes: Attributes) -> bool:
        return await self._answers.get((user.key, attributes), lambda: self._review(user, attributes))

    async def _review(self, user: User, attributes: Attributes) -> bool:
        spec = user.review() | attributes.review()
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        status = (await self._reviews.post(ACCESS_REVIEWS, body)).get("status") or {}
        return status.get("allowed") is True and not status.get("denied")
