"""What the forms of a request send, checked before a service is asked, which knows the bounds of the request itself."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldProblem, InvalidInput
from apps.common.money import MOST_MONEY
from apps.credit_requests.api import MOST_VERSION
from apps.credit_requests.api_decisions import MOST_COMMENT
from apps.credit_requests.models import MOST_TERM

RELOAD = _("The form is incomplete. Load the page again and send it once more.")
SAY_WHY = _("Say why; the record keeps it.")
OF_NUMBERS = {
    "required": _("Give a whole number."),
    "invalid": _("Give a whole number."),
    "min_value": _("At least %(limit_value)s is allowed."),
    "max_value": _("At most %(limit_value)s is allowed."),
}
OF_TEXTS = {"required": SAY_WHY, "max_length": _("At most %(limit_value)s characters are allowed.")}


def _whole(most: int, *, required: bool = True, wrong: Any = None) -> forms.IntegerField:
    """`wrong`: what is said of any mistake, in place of what the mistake is."""
    messages = OF_NUMBERS if wrong is None else dict.fromkeys(OF_NUMBERS, wrong)
    return forms.IntegerField(min_value=1, max_value=most, required=required, error_messages=messages)


def _id() -> forms.UUIDField:
    return forms.UUIDField(error_messages={"required": RELOAD, "invalid": RELOAD})


def _text() -> forms.CharField:
    return forms.CharField(max_length=MOST_COMMENT, error_messages=OF_TEXTS)


class VersionForm(forms.Form):
    version = _whole(MOST_VERSION, wrong=RELOAD)


class SaidForm(VersionForm):
    comment = _text()


class JudgeForm(SaidForm):
    """`amount` and `term_months`: where less is offered than was asked for."""

    prediction = _id()
    reason_code = forms.SlugField(max_length=40, required=False, error_messages={"invalid": RELOAD})
    amount = _whole(MOST_MONEY, required=False)
    term_months = _whole(MOST_TERM, required=False)


class CloseForm(forms.Form):
    override = _id()
    comment = _text()


class AnswerForm(forms.Form):
    is_listed = forms.ChoiceField(
        choices=[("yes", ""), ("no", "")],
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Say what the register told: yes or no.")),
    )


class TermsForm(forms.Form):
    amount = _whole(MOST_MONEY)
    term_months = _whole(MOST_TERM)


class ChangeForm(TermsForm, VersionForm):
    pass


class RecordForm(forms.Form):
    record = _id()


def read_form(kind: type[forms.Form], request: HttpRequest) -> dict[str, Any]:
    """Raises InvalidInput, in the language of the page."""
    form = kind(request.POST)
    if not form.is_valid():
        problems = [FieldProblem(name, str(each)) for name, wrong in form.errors.items() for each in wrong]
        raise InvalidInput("; ".join(problem.message for problem in problems), problems)
    return form.cleaned_data
