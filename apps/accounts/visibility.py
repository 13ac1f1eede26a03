"""Who sees which rows: the one rule of branches, for every table of applicants and what is known of them."""

from typing import Self

from django.db import models

from apps.accounts.models import User
from apps.accounts.permissions import READERS


class OfABranch(models.QuerySet):
    """Rows with a `branch`."""

    def visible_to(self, user: User) -> Self:
        """Those of their branch for officers and approvers, all for analysts and auditors, none for others."""
        if user.role not in READERS:
            return self.none()
        return self if user.sees_all_branches else self.filter(branch_id=user.branch_id)
