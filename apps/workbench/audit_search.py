"""Events of the audit trail, found by who, what, on which row and on which of the lender's days."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common.days import EARLIEST, LATEST, start_of
from apps.common.fields import DayField
from apps.workbench.audit_words import SUBJECTS
from apps.workbench.typed_fields import day_field

# Ids of rows: no PINFL has their shape, so none gets into an address by being typed here.
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{1,10}")
ACTION = re.compile(r"[a-z_]{1,30}\.[a-z_]{1,30}")
SIGN_INS = ("session.start", "session.end")
DAY = gettext_lazy("Give a day, such as 20.05.2014.")


class AuditForm(forms.Form):
    """`since` and `until`: days of the lender, both counted in. `sign_ins`: with those who came and went, among whom
    the rest is hard to see; they are there too when action or row is chosen.
    """

    actor = forms.CharField(max_length=150, required=False)
    subject_type = forms.ChoiceField(choices=[("", gettext_lazy("All")), *SUBJECTS.items()], required=False)
    action = forms.CharField(max_length=61, required=False)
    subject_id = forms.CharField(max_length=36, required=False)
    since = day_field(DayField(), DAY, required=False)
    until = day_field(DayField(), DAY, required=False)
    sign_ins = forms.BooleanField(required=False)

    def clean_actor(self) -> User | None:
        name = self.cleaned_data["actor"].strip()
        if not name:
            return None
        found = User.objects.filter(username=name).first()
        if found is None:
            raise forms.ValidationError(_("There is no account of this name."))
        return found

    def clean_action(self) -> str:
        action = self.cleaned_data["action"].strip()
        if action and not ACTION.fullmatch(action):
            raise forms.ValidationError(_("Give an action as it is coded, such as credit_request.decide."))
        return action

    def clean_subject_id(self) -> str:
        given = self.cleaned_data["subject_id"].strip().lower()
        if given and not ID.fullmatch(given):
            raise forms.ValidationError(_("Give the id of a row, as its page or the API shows it."))
        return given

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        for name, day in (("since", since), ("until", until)):
            if day is not None and not EARLIEST.date() < day < LATEST.date():
                self.add_error(name, DAY)
        if since and until and until < since:
            self.add_error("until", _("This day lies before the first."))
        return self.cleaned_data

    @property
    def document(self) -> dict[str, str]:
        """What is chosen, as an address names it. Of a valid form."""
        given = self.cleaned_data | {"actor": self.cleaned_data["actor"] and self.cleaned_data["actor"].username}
        days = {name: given[name] and given[name].isoformat() for name in ("since", "until")}
        ticked = {"sign_ins": "on" if given["sign_ins"] else ""}
        return {name: value for name, value in (given | days | ticked).items() if value}

    @property
    def query(self) -> str:
        """The end of an address after a first parameter: "&actor=core"."""
        return "".join(f"&{urlencode({name: value})}" for name, value in self.document.items())

    def events(self) -> QuerySet[AuditEvent]:
        given = self.cleaned_data
        rows = AuditEvent.objects.select_related("actor")
        if given["since"]:
            rows = rows.filter(created_at__gte=start_of(given["since"]))
        if given["until"]:
            rows = rows.filter(created_at__lt=start_of(given["until"] + timedelta(days=1)))
        if given["actor"]:
            rows = rows.filter(actor=given["actor"])
        if given["action"]:
            rows = rows.filter(action=given["action"])
        elif not (given["sign_ins"] or given["subject_type"] or given["subject_id"]):
            rows = rows.exclude(action__in=SIGN_INS)
        return self._of_subject(rows)

    def _of_subject(self, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        kind, id_ = self.cleaned_data["subject_type"], self.cleaned_data["subject_id"]
        if kind:
            rows = rows.filter(subject_type=kind)
        elif id_:
            # So that the index on both finds it.
            rows = rows.filter(subject_type__in=list(SUBJECTS))
        return rows.filter(subject_id=id_) if id_ else rows
