"""A sentence of the engine in the language of the page, its codes, numbers and days as this page names them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldProblem
from apps.common.masking import mask_identifiers
from apps.common.sentences import Sentence
from apps.scoring_engine.ml.words import words_of
from apps.workbench import formats, labels

# name of a field that a service refuses -> what the forms call it
FIELDS: labels.Labels = {
    "comment": _("Why"),
    "reason": _("Why"),
    "reason_code": _("Reason"),
    "amount": _("Amount"),
    "terms.amount": _("Amount"),
    "requested_amount": _("Amount"),
    "term_months": _("Term in months"),
    "terms.term_months": _("Term in months"),
    "is_listed": _("Register of self-bans"),
    "version": _("Form"),
    "prediction": _("Form"),
    "override": _("Form"),
    "record": _("Form"),
    "field": _("Form"),
    "product": _("Product"),
    "currency": _("Currency"),
    "purpose": _("Purpose"),
    "sources": _("Sources"),
    "given_on": _("Given on"),
    "expires_on": pgettext_lazy("consent", "Holds until"),
    "pinfl": _("PINFL"),
    "tax_id": _("INN (STIR)"),
    "full_name": _("Full name"),
    "company_name": _("Name of the company"),
    "birth_date": _("Birth date"),
    "search": _("Search"),
    "name": _("Name"),
    "view": _("View"),
    "cursor": _("Page"),
    "language": _("Language"),
    "format": _("Format"),
    "file": _("File"),
    "segment": _("Segment"),
    "mapping": _("Columns"),
    "scale": _("Amounts of money are in"),
    "manifest": _("Manifest"),
    "figures": _("Figures"),
    "passed": _("Passed"),
    "on_own_data": _("On data of your own"),
    "types_seen": _("Types that it loads"),
    "text": _("Text of the policy"),
    "policy": _("Policy"),
    "valid_from": _("Valid from"),
    "against": _("Policy in force"),
    "filter": _("Requests"),
    "since": _("Since"),
    "until": _("Until"),
    "channel": _("Channel"),
    "branch": _("Branch"),
    "model": _("Model"),
    "cost_of_funds": _("Cost of funds"),
}
# name of a value in a sentence -> what its codes are called
KINDS: Mapping[str, labels.Labels] = {
    "role": labels.ROLES,
    "roles": labels.ROLES,
    "status": labels.STATUSES,
    "statuses": labels.STATUSES,
    "action": labels.REQUEST_ACTIONS,
    "outcome": labels.OUTCOMES,
    "outcomes": labels.OUTCOMES,
    "channels": labels.CHANNELS,
    "source": labels.SOURCES,
    "sources": labels.SOURCES,
    "consent_purpose": labels.CONSENT_PURPOSES,
    "consent_purposes": labels.CONSENT_PURPOSES,
    "segment": labels.SEGMENTS,
    "segments": labels.SEGMENTS,
    "override_state": labels.OVERRIDE_STATES,
    "model_state": labels.MODEL_STATES,
    "model_states": labels.MODEL_STATES,
    "model_change": labels.MODEL_CHANGES,
    "model_role": labels.MODEL_STATES,
    "policy_state": labels.POLICY_STATES,
    "upload_state": labels.UPLOAD_STATES,
    "next_upload_state": labels.UPLOAD_STATES,
    "override_reason": labels.OVERRIDE_REASONS,
    "override_reasons": labels.OVERRIDE_REASONS,
    **dict.fromkeys(("found", "wanted", "left", "right", "kind", "kinds"), labels.VALUE_KINDS),
}
FACTS = ("fact", "facts", "part", "whole")  # values that are names of facts
IN_FIGURES = ("year", "years", "version")  # numbers that are no quantities: without groups of digits


def tell(text: str) -> str:
    """Without identifiers of people, whoever typed them. A text that is no Sentence stays as it is."""
    if not isinstance(text, Sentence):
        return mask_identifiers(str(text))
    template = gettext(text.template)
    # The same: in English, where nothing but a frame is said, and of a version before this one.
    of_value = _as_it_is if template == text.template else _told
    return mask_identifiers(template.format(**{name: of_value(name, value) for name, value in text.values.items()}))


def _as_it_is(name: str, value: Any) -> Any:
    """A template of the engine formats its numbers itself."""
    if isinstance(value, list | tuple):
        return ", ".join(str(_as_it_is(name, each)) for each in value)
    return tell(value) if isinstance(value, Sentence) else value


def tell_problems(problems: Iterable[FieldProblem]) -> list[tuple[str, str]]:
    """What a field is called, and what is wrong with it."""
    return [(tell_field(each.field), tell(each.message)) for each in problems]


def tell_field(name: str) -> str:
    """One that no form has stays as it is: a place within a file or a document."""
    if name in FIELDS:
        return str(FIELDS[name])
    return words_of(formats.language_now()).texts["facts"].get(name, name)


def _told(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_told(name, each) for each in value)
    if isinstance(value, Sentence):
        return tell(value)
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and name not in IN_FIGURES:
        return _number(value)
    if name in FACTS:
        return words_of(formats.language_now()).fact(str(value))
    return str(KINDS.get(name, {}).get(value, value))


def _number(value: float) -> str:
    """One that looks like an identifier is not grouped, so that it is masked with the whole."""
    return str(value) if mask_identifiers(str(value)) != str(value) else formats.exact(value)
