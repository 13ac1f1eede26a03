"""The form of a new request, in parts: who applies, the facts of somebody new, terms, and the person's consent.

Each field is judged by that of the API (typed_fields), so that no bound is written twice.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from apps.common.contacts import NameField, PhoneField, PinflField, refuse_future
from apps.common.days import lender_today
from apps.companies.api import CompanySerializer, ContactSerializer, StatementSerializer, TaxIdLookupSerializer
from apps.companies.models import STATEMENT_FIGURES
from apps.credit_requests.api import CreditRequestCreateSerializer
from apps.credit_requests.models import Product
from apps.external_integrations.api_consents import ConsentCreateSerializer
from apps.external_integrations.consents import MOST_DAYS
from apps.external_integrations.models import Purpose
from apps.individuals.api import IndividualSerializer
from apps.scoring_engine.ml.vocabulary import PURPOSES
from apps.scoring_engine.ml.words import words_of
from apps.workbench import formats, labels
from apps.workbench.typed_fields import (
    NEEDED,
    ParcelsTyped,
    TypedField,
    day_field,
    identifier_field,
    number_field,
    read_whole,
    sentence,
    text_field,
    whole_field,
)

PERSON, COMPANY = "individual", "company"
_person, _company = IndividualSerializer().fields, CompanySerializer().fields
_contact, _statement = ContactSerializer().fields, StatementSerializer().fields
_terms, _consent = CreditRequestCreateSerializer().fields, ConsentCreateSerializer().fields

NAME = gettext_lazy("Give a name in letters, on one line, of at most 200 characters.")
PHONE = gettext_lazy("Give a phone number in use, such as +998 90 123 45 67.")
EMAIL = gettext_lazy("Give an e-mail address, such as name@example.uz.")
PAST_DAY = gettext_lazy("Give a day that is not ahead, such as 20.05.2014.")
DAY = gettext_lazy("Give a day, such as 20.05.2014.")
YEAR = gettext_lazy("Give a year that has begun, such as 2025.")
REFERENCE = gettext_lazy("Give at most 200 characters.")
CHOOSE = gettext_lazy("Choose one of the list.")
# What the cards of the engine cannot do without (their required inputs).
FOR_SCORING = gettext_lazy("Without it a person has to look at the request.")


class Part(forms.Form):
    """A part of the form. Each field is checked as it is typed, by the page `check-field`."""

    money: tuple[str, ...] = ()  # fields that hold sums
    marks_optional = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for bound in self:
            if not bound.is_hidden:
                bound.field.widget.attrs |= _checked_as_typed(bound)


def _checked_as_typed(bound: forms.BoundField) -> dict[str, str]:
    hint = f"{bound.auto_id}_helptext " if bound.help_text else ""
    # What a product allows is checked again once another one is chosen.
    again = ", change from:#id_product" if bound.name in ("requested_amount", "term_months") else ""
    return {
        "hx-post": reverse("workbench:check-field"),
        "hx-trigger": f"change, keyup changed delay:600ms{again}",
        "hx-target": f"#{bound.auto_id}_error",
        "aria-describedby": f"{hint}{bound.auto_id}_error",
    }


def _choice(choices: Iterable[tuple[str, Any]], **options: Any) -> forms.ChoiceField:
    messages = {"required": NEEDED, "invalid_choice": CHOOSE}
    return forms.ChoiceField(choices=list(choices), error_messages=messages, **options)


def _typed(kind: str = "text", **attributes: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"type": kind, **attributes})


class PersonKey(Part):
    """Its `identifier` alone says who applies."""

    identifier = identifier_field(
        PinflField(),
        label=gettext_lazy("PINFL"),
        help_text=gettext_lazy("14 digits, as in the passport or ID card"),
        widget=_typed(inputmode="numeric", autocomplete="off", spellcheck="false", maxlength=40),
    )


class CompanyKey(Part):
    identifier = identifier_field(
        TaxIdLookupSerializer().fields["tax_id"],
        label=gettext_lazy("INN"),
        help_text=gettext_lazy("9 digits, as in the certificate of registration"),
        widget=_typed(inputmode="numeric", autocomplete="off", spellcheck="false", maxlength=40),
    )


class PersonFacts(Part):
    """Of somebody new: fields of a person's profile by name. The birth date is the one that the PINFL tells."""

    full_name = text_field(
        _person["full_name"], NAME, label=gettext_lazy("Full name"), widget=_typed(autocomplete="off", maxlength=200)
    )
    phone = text_field(_person["phone"], PHONE, label=gettext_lazy("Phone"), widget=_typed("tel", autocomplete="off"))
    email = text_field(
        _person["email"], EMAIL, label=gettext_lazy("E-mail"), widget=_typed("email", autocomplete="off")
    )
    salary = whole_field(_person["salary"], label=gettext_lazy("Salary a month, after tax"), help_text=FOR_SCORING)
    existing_debt = whole_field(_person["existing_debt"], label=gettext_lazy("All debts today"), help_text=FOR_SCORING)
    monthly_debt_payments = whole_field(
        _person["monthly_debt_payments"], label=gettext_lazy("Payments on debts a month")
    )
    collateral_value = whole_field(_person["collateral_value"], label=gettext_lazy("Value of the collateral"))
    employment_years = number_field(_person["employment_years"], label=gettext_lazy("Years with the employer"))
    parcel_ids = ParcelsTyped(
        _person["parcel_ids"],
        label=gettext_lazy("Land and buildings"),
        help_text=gettext_lazy("Cadastral numbers, parted by commas"),
        widget=_typed(autocomplete="off", spellcheck="false"),
    )
    money = ("salary", "existing_debt", "monthly_debt_payments", "collateral_value")

    def profile(self, pinfl: str, birth_date: date) -> dict[str, Any]:
        return self.cleaned_data | {"pinfl": pinfl, "birth_date": birth_date.isoformat()}


class CompanyFacts(Part):
    """Of a company that is new: fields of its profile, its contact, and its last yearly statement."""

    company_name = text_field(
        _company["company_name"],
        NAME,
        label=gettext_lazy("Name of the company"),
        widget=_typed(autocomplete="off", maxlength=200),
    )
    industry = _choice([("", "–"), *labels.INDUSTRIES.items()], label=gettext_lazy("Industry"), required=False)
    incorporated_date = day_field(_company["incorporated_date"], PAST_DAY, label=gettext_lazy("Registered on"))
    contact_name = text_field(
        NameField(), NAME, required=False, label=gettext_lazy("Who speaks for it"), widget=_typed(autocomplete="off")
    )
    contact_phone = text_field(
        PhoneField(), PHONE, required=False, label=gettext_lazy("Phone"), widget=_typed("tel", autocomplete="off")
    )
    existing_debt = whole_field(_company["existing_debt"], label=gettext_lazy("All debts today"))
    monthly_debt_payments = whole_field(
        _company["monthly_debt_payments"], label=gettext_lazy("Payments on debts a month")
    )
    collateral_value = whole_field(_company["collateral_value"], label=gettext_lazy("Value of the collateral"))
    parcel_ids = ParcelsTyped(
        _company["parcel_ids"],
        label=gettext_lazy("Land and buildings"),
        help_text=gettext_lazy("Cadastral numbers, parted by commas"),
        widget=_typed(autocomplete="off", spellcheck="false"),
    )
    year = TypedField(
        _statement["year"], read=read_whole, refusal=YEAR, required=False, label=gettext_lazy("Year of the statement")
    )
    revenue = whole_field(_statement["revenue"], required=False, label=gettext_lazy("Revenue"))
    net_income = whole_field(_statement["net_income"], required=False, label=gettext_lazy("Net profit or loss"))
    assets = whole_field(_statement["assets"], required=False, label=gettext_lazy("Assets"))
    liabilities = whole_field(_statement["liabilities"], required=False, label=gettext_lazy("Liabilities"))
    current_assets = whole_field(_statement["current_assets"], label=gettext_lazy("Current assets"))
    current_liabilities = whole_field(_statement["current_liabilities"], label=gettext_lazy("Current liabilities"))
    retained_earnings = whole_field(_statement["retained_earnings"], label=gettext_lazy("Retained earnings"))
    ebit = whole_field(_statement["ebit"], label=gettext_lazy("Profit before interest and tax"))
    figures = ("year", *STATEMENT_FIGURES)
    money = ("existing_debt", "monthly_debt_payments", "collateral_value", *STATEMENT_FIGURES)

    def clean_incorporated_date(self) -> date | None:
        day = self.cleaned_data["incorporated_date"]
        try:
            return day and refuse_future(day, lender_today())
        except serializers.ValidationError:
            raise forms.ValidationError(PAST_DAY) from None

    def clean_year(self) -> int | None:
        year = self.cleaned_data["year"]
        if year is not None and year > lender_today().year:
            raise forms.ValidationError(YEAR)
        return year

    def clean(self) -> dict[str, Any]:
        """A statement is given with all that it needs, or not at all; a contact has a name."""
        given = self.cleaned_data
        if any(given.get(name) is not None for name in self.figures):
            for name in self.figures:
                if _statement[name].required and given.get(name) is None and name not in self.errors:
                    self.add_error(name, _("A statement needs this figure."))
        if given.get("contact_phone") and not given.get("contact_name") and "contact_name" not in self.errors:
            self.add_error("contact_name", _("Whose phone is it?"))
        return given

    def options(self, tax_id: str) -> dict[str, Any]:
        """Those of `create_company`, but for branch, currency and actor."""
        given = self.cleaned_data
        contact = {"name": given["contact_name"], "phone": given["contact_phone"], "email": None}
        names = ("company_name", "existing_debt", "monthly_debt_payments", "collateral_value", "parcel_ids")
        profile = {name: given[name] for name in names} | {"tax_id": tax_id}
        statement = {name: given[name] for name in self.figures}
        return {
            "profile": profile | {"contact": contact if given["contact_name"] else None},
            "industry": given["industry"] or None,
            "incorporated_date": given["incorporated_date"],
            "years_in_business": None,
            "statements": [statement] if given["year"] is not None else [],
        }


class Terms(Part):
    """What is asked for, within the bounds of the product. `products`: those that the applicant may have."""

    product = _choice([], label=gettext_lazy("Product"))
    requested_amount = whole_field(
        _terms["requested_amount"], label=gettext_lazy("Amount"), help_text=gettext_lazy("For example 12 000 000")
    )
    term_months = whole_field(_terms["term_months"], label=gettext_lazy("Term in months"))
    purpose = _choice([], label=gettext_lazy("Purpose"))
    channel = _choice(labels.CHANNELS.items(), label=gettext_lazy("Channel"))
    money = ("requested_amount",)

    def __init__(self, products: Iterable[Product], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.products = {str(product.id): product for product in products}
        self.fields["product"].choices = [("", "–"), *((id_, in_words(one)) for id_, one in self.products.items())]
        words = words_of(formats.language_now())
        purposes = [(code, words.category("purpose", code)) for code in PURPOSES]
        self.fields["purpose"].choices = [("", "–"), *((code, text[:1].upper() + text[1:]) for code, text in purposes)]

    def clean(self) -> dict[str, Any]:
        product = self.products.get(self.cleaned_data.get("product", ""))
        if product is None:
            return self.cleaned_data
        self.cleaned_data["product"] = product
        self._check("requested_amount", product.least_amount, product.most_amount)
        self._check("term_months", product.least_term_months, product.most_term_months)
        return self.cleaned_data

    def _check(self, name: str, least: int, most: int) -> None:
        given = self.cleaned_data.get(name)
        if given is not None and not least <= given <= most:
            text = gettext_lazy("This product allows %(least)s to %(most)s.")
            self.add_error(name, str(sentence(text, least=least, most=most)))


def in_words(product: Product) -> str:
    """Whoever chooses sees the bounds."""
    return f"{product.name} · {bounds_of(product)}"


def bounds_of(product: Product) -> str:
    """ "1,000,000 to 50,000,000 UZS · 3 to 36 months"."""
    least, most = formats.number(product.least_amount), formats.money(product.most_amount, product.currency)
    first, last = product.least_term_months, formats.months(product.most_term_months)
    amounts = _("%(least)s to %(most)s") % {"least": least, "most": most}
    terms = _("%(least)s to %(most)s") % {"least": first, "most": last}
    return f"{amounts} · {terms}"


class ConsentGiven(Part):
    """What the person signed. No source chosen: nothing is recorded, and nobody is asked."""

    marks_optional = False  # all of it is needed once a source is chosen

    sources = forms.MultipleChoiceField(
        choices=[], required=False, label=gettext_lazy("Sources"), error_messages={"invalid_choice": CHOOSE}
    )
    consent_purpose = _choice(labels.CONSENT_PURPOSES.items(), required=False, label=gettext_lazy("Consent is given"))
    given_on = day_field(_consent["given_on"], DAY, required=False, label=gettext_lazy("Given on"))
    expires_on = day_field(_consent["expires_on"], DAY, required=False, label=gettext_lazy("Holds until"))
    reference = text_field(
        _consent["reference"],
        REFERENCE,
        required=False,
        label=gettext_lazy("Number of the signed form"),
        widget=_typed(autocomplete="off", maxlength=200),
    )

    def __init__(self, sources: Iterable[str], today: date, *args: Any, **options: Any) -> None:
        longest = today + timedelta(days=MOST_DAYS[Purpose.CREDIT_ASSESSMENT])
        super().__init__(*args, initial={"given_on": today, "expires_on": longest}, **options)
        self.today = today
        self.fields["sources"].choices = [(source, labels.SOURCES[source]) for source in sources]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given.get("sources"):
            return given
        for name in ("consent_purpose", "given_on", "expires_on", "reference"):
            if not given.get(name) and name not in self.errors:
                self.add_error(name, NEEDED)
        if not self.errors:
            self._check_days(given["given_on"], given["expires_on"], MOST_DAYS[Purpose(given["consent_purpose"])])
        return given

    def _check_days(self, given_on: date, expires_on: date, most_days: int) -> None:
        if given_on > self.today:
            self.add_error("given_on", _("This day lies ahead; a consent is recorded once it was given."))
            return
        latest = given_on + timedelta(days=most_days)
        if not max(given_on, self.today) <= expires_on <= latest:
            days = {"first": formats.day(max(given_on, self.today)), "last": formats.day(latest)}
            self.add_error("expires_on", _("Give a day from %(first)s to %(last)s.") % days)

    def options(self) -> dict[str, Any]:
        """Those of `record_consent` that stand in the form."""
        given = self.cleaned_data
        names = ("sources", "given_on", "expires_on", "reference")
        return {name: given[name] for name in names} | {"purpose": given["consent_purpose"]}
