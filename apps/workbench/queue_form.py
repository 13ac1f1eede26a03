"""The filter of the queue as people fill it in: from an address or from a saved view, checked in one place."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Branch, User
from apps.common.money import MOST_MONEY
from apps.credit_requests.flags import FLAGS
from apps.credit_requests.models import Product
from apps.credit_requests.queue import NEWEST, QueueFilter
from apps.scoring_engine.models import GRADE_LETTERS
from apps.workbench import labels

MOST_DAYS = 3650
ORDERS = {
    "newest": _("Newest first"),
    "oldest": _("Oldest first"),
    "largest": _("Largest amount first"),
    "smallest": _("Smallest amount first"),
    "riskiest": _("Lowest score first"),
    "safest": _("Highest score first"),
}


def _one_of(choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[("", _("All")), *choices], required=False)


def _number(most: int, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(min_value=least, max_value=most, required=False)


class QueueForm(forms.Form):
    """Its fields are those of QueueFilter."""

    status = _one_of(labels.STATUSES.items())
    outcome = _one_of(labels.OUTCOMES.items())
    older_than = _number(MOST_DAYS)
    newer_than = _number(MOST_DAYS, 1)
    least_amount = _number(MOST_MONEY)
    most_amount = _number(MOST_MONEY, 1)
    grade = _one_of((letter, letter) for letter in GRADE_LETTERS)
    product = _one_of([])
    segment = _one_of(labels.APPLICANTS.items())
    branch = _one_of([])
    flags = forms.MultipleChoiceField(choices=[(flag, labels.FLAGS[flag]) for flag in FLAGS], required=False)
    waits_for_second = forms.BooleanField(required=False)
    mine = forms.BooleanField(required=False)
    order = forms.ChoiceField(choices=list(ORDERS.items()), required=False)

    def __init__(self, user: User, given: Any) -> None:
        super().__init__(given)
        products = Product.objects.order_by("name", "code").values_list("id", "name")
        self.fields["product"].choices += [(str(id_), name) for id_, name in products]
        if user.sees_all_branches:
            self.fields["branch"].choices += Branch.objects.order_by("name").values_list("code", "name")
        else:
            del self.fields["branch"]

    def clean(self) -> dict[str, Any]:
        least, most = self.cleaned_data.get("least_amount"), self.cleaned_data.get("most_amount")
        if least is not None and most is not None and least > most:
            self.add_error("most_amount", _("Less than the least amount."))
        older, newer = self.cleaned_data.get("older_than"), self.cleaned_data.get("newer_than")
        if older is not None and newer is not None and newer <= older:
            self.add_error("newer_than", _("Nothing is newer than that and older than the other."))
        return self.cleaned_data

    @property
    def choices_shown(self) -> list[forms.BoundField]:
        names = ("segment", "product", "grade", "outcome", "branch")
        return [self[name] for name in names if name in self.fields]

    @property
    def numbers_shown(self) -> list[forms.BoundField]:
        return [self[name] for name in ("least_amount", "most_amount", "older_than", "newer_than")]

    @property
    def document(self) -> dict[str, Any]:
        """What is chosen, as it is saved and as an address names it. Of a valid form."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [], False)}
        if given.get("order") == NEWEST:
            del given["order"]
        return given

    def chosen(self) -> QueueFilter:
        given = self.document
        return QueueFilter(**given | {"flags": tuple(given.get("flags", ()))})


def query_of(document: dict[str, Any], **changes: Any) -> str:
    """The end of an address, "?status=pending", in the form's order; a change to None leaves the name out."""
    merged = document | changes
    named = [(name, merged.get(name)) for name in (*QueueForm.base_fields, "page")]
    plain = [(name, "on" if value is True else value) for name, value in named if value not in (None, "")]
    return f"?{urlencode(plain, doseq=True)}" if plain else "?"
