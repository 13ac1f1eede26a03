"""People and service accounts, with one role and at most one branch each."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q


class Role(models.TextChoices):
    OFFICER = "officer"
    APPROVER = "approver"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# These roles see the records of every branch; officers and approvers see their own branch.
SEES_ALL_BRANCHES = frozenset({Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR})


class Branch(models.Model):
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "branches"

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person or a service account. `is_superuser` is never used: what one may do follows from the role."""

    class Kind(models.TextChoices):
        PERSON = "person"
        SERVICE = "service"

    role = models.CharField(max_length=20, choices=Role.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, blank=True, related_name="users")

    REQUIRED_FIELDS = ["role"]

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role"),
            models.CheckConstraint(condition=Q(kind__in=["person", "service"]), name="user_kind"),
            models.CheckConstraint(
                condition=Q(branch__isnull=False) | Q(role__in=["analyst", "auditor", "administrator"]),
                name="user_of_a_branch_role_has_a_branch",
            ),
        ]

    @property
    def sees_all_branches(self) -> bool:
        return self.role in SEES_ALL_BRANCHES
