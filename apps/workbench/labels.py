"""What the codes of the engine are called on the screens. `{{ code|label:"status" }}` in a template."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Labels = Mapping[str, Any]

ROLES: Labels = {
    "officer": _("Loan officer"),
    "approver": _("Approver"),
    "analyst": _("Risk analyst"),
    "auditor": _("Auditor"),
    "administrator": _("Administrator"),
}
STATUSES: Labels = {
    "pending": pgettext_lazy("request", "Pending"),
    "referred": pgettext_lazy("request", "Referred"),
    "approved": pgettext_lazy("request", "Approved"),
    "rejected": pgettext_lazy("request", "Rejected"),
    "withdrawn": pgettext_lazy("request", "Withdrawn"),
}
OUTCOMES: Labels = {
    "approve": pgettext_lazy("outcome", "Approve"),
    "refer": pgettext_lazy("outcome", "Refer"),
    "decline": pgettext_lazy("outcome", "Decline"),
}
# What is done with a request, as the table of its moves calls it.
REQUEST_ACTIONS: Labels = {
    "create": pgettext_lazy("action", "submit"),
    "decide": pgettext_lazy("action", "decide by the policy"),
    "refer": pgettext_lazy("action", "pass on to people"),
    "approve": pgettext_lazy("action", "approve"),
    "decline": pgettext_lazy("action", "decline"),
    "review": pgettext_lazy("action", "look at anew"),
    "withdraw": pgettext_lazy("action", "withdraw"),
}
DECISION_KINDS: Labels = {
    "policy": _("by the policy"),
    "person": _("by people"),
    "referral": _("passed on to people"),
    "review": _("looked at again"),
}
FLAGS: Labels = {
    "demonstration": _("Demonstration"),
    "fallback": _("Fallback"),
    "mock": _("Invented record"),
    "stale": _("Stale"),
    "contradiction": _("Contradiction"),
    "thin_file": _("Thin file"),
    "demo": _("Demo data"),
}
APPLICANTS: Labels = {"individual": _("Person"), "company": _("Company")}
CHANNELS: Labels = {
    "branch": _("Branch"),
    "online": _("Online"),
    "partner": _("Partner"),
    "phone": _("Phone"),
}
PRODUCT_KINDS: Labels = {
    "microloan": _("Microloan"),
    "mortgage": _("Mortgage"),
    "consumer": _("Consumer credit"),
    "business": _("Business credit"),
    "other": _("Other"),
}
SOURCES: Labels = {
    "soliq": _("Soliq (tax)"),
    "kadastr": _("Kadastr (land)"),
    "bureau": _("Credit bureau"),
}
ORIGINS: Labels = {"mock": _("invented"), "http": _("real")}
CONSENT_STATES: Labels = {
    "valid": _("given"),
    "expires_soon": _("ends soon"),
    "missing": _("missing"),
}
# All that became of a consent, on the day that is looked at.
CONSENT_HISTORY: Labels = {
    "valid": _("given"),
    "expired": pgettext_lazy("consent", "expired"),
    "withdrawn": pgettext_lazy("consent", "withdrawn"),
    "not_yet_valid": _("holds later"),
}
CONSENT_PURPOSES: Labels = {
    "credit_assessment": _("to decide on this request"),
    "monitoring": _("to watch the loan while it lasts"),
}
# Sections of NACE and OKED: those of apps.companies.industries.
INDUSTRIES: Labels = {
    "A": _("Agriculture, forestry and fishing"),
    "B": _("Mining and quarrying"),
    "C": _("Manufacturing"),
    "D": _("Electricity, gas, steam and air conditioning supply"),
    "E": _("Water supply; sewerage, waste management and remediation"),
    "F": _("Construction"),
    "G": _("Wholesale and retail trade; repair of motor vehicles and motorcycles"),
    "H": _("Transportation and storage"),
    "I": _("Accommodation and food service activities"),
    "J": _("Information and communication"),
    "K": _("Financial and insurance activities"),
    "L": _("Real estate activities"),
    "M": _("Professional, scientific and technical activities"),
    "N": _("Administrative and support service activities"),
    "O": _("Public administration and defence; compulsory social security"),
    "P": pgettext_lazy("industry", "Education"),
    "Q": _("Human health and social work activities"),
    "R": _("Arts, entertainment and recreation"),
    "S": _("Other service activities"),
    "T": _("Activities of households as employers and for own use"),
    "U": _("Activities of extraterritorial organisations and bodies"),
}
DIRECTIONS: Labels = {
    "low_side": _("approved against the policy"),
    "high_side": _("declined against the policy"),
}
OVERRIDE_STATES: Labels = {
    "waiting": _("waits for a second person"),
    "confirmed": _("confirmed"),
    "refused": _("refused"),
    "expired": _("expired"),
}
# Of what an expression of a policy gives.
VALUE_KINDS: Labels = {
    "number": pgettext_lazy("kind of value", "number"),
    "text": pgettext_lazy("kind of value", "text"),
    "flag": pgettext_lazy("kind of value", "true or false"),
}
SEGMENTS: Labels = {"individual": _("People"), "company": _("Companies")}
MODEL_STATES: Labels = {
    "draft": pgettext_lazy("model", "Draft"),
    "validated": pgettext_lazy("model", "Validated"),
    "champion": pgettext_lazy("model", "Champion"),
    "challenger": pgettext_lazy("model", "Challenger"),
    "retired": pgettext_lazy("model", "Retired"),
}
MODEL_CHANGES: Labels = {
    "promote": pgettext_lazy("model", "Promote"),
    "challenge": pgettext_lazy("model", "Challenge the champion"),
    "rollback": pgettext_lazy("model", "Roll back"),
    "retire": pgettext_lazy("model", "Retire"),
}
MODEL_KINDS: Labels = {"scorecard": _("Scorecard"), "estimator": _("Estimator")}
MODEL_ORIGINS: Labels = {"shipped": _("shipped with the engine"), "registered": _("registered here")}
SAMPLES: Labels = {"training": _("training"), "test": _("test"), "out_of_time": _("out of time")}
MEASURES: Labels = {
    "auc": _("AUC"),
    "gini": _("Gini"),
    "ks": _("KS"),
    "brier": _("Brier score"),
    "calibration_slope": _("Calibration slope"),
    "bad_rate": _("Bad rate"),
    "rows": _("Rows"),
}
# A population stability index below 0.1, below 0.25, and from there.
STABILITY: Labels = {"green": _("stable"), "amber": _("worth a look"), "red": _("moved")}
POLICY_STATES: Labels = {
    "draft": pgettext_lazy("policy", "Draft"),
    "published": pgettext_lazy("policy", "Published"),
    "discarded": pgettext_lazy("policy", "Discarded"),
    "in_force": pgettext_lazy("policy", "In force"),
}
RULE_KINDS: Labels = {
    "knockout": pgettext_lazy("rule", "Knock-out"),
    "legal": pgettext_lazy("rule", "Law"),
    "limit": pgettext_lazy("rule", "Limit"),
    "affordability": pgettext_lazy("rule", "Affordability"),
    "collateral": pgettext_lazy("rule", "Collateral"),
}
UNKNOWNS: Labels = {**OUTCOMES, "pass": pgettext_lazy("rule", "the rule is passed over")}
CUT_OFF_NAMES: Labels = {
    "score": _("By the score"),
    "annual_probability_of_default": _("By the probability of default within a year"),
}
JOB_STATES: Labels = {
    "queued": pgettext_lazy("job", "Queued"),
    "running": pgettext_lazy("job", "Running"),
    "done": pgettext_lazy("job", "Done"),
    "failed": pgettext_lazy("job", "Failed"),
}
SIDES: Labels = {
    "current": pgettext_lazy("simulation", "In force"),
    "candidate": pgettext_lazy("simulation", "Candidate"),
}
BARS: Labels = {
    "not_assessed": pgettext_lazy("bar", "not assessed"),
    "fallback": pgettext_lazy("bar", "scored by the fallback"),
    "demonstration": pgettext_lazy("bar", "scored by a demonstration model"),
    "mock_source": pgettext_lazy("bar", "resting on invented records"),
    "required_input_missing": pgettext_lazy("bar", "a required fact is missing"),
    "source_down": pgettext_lazy("bar", "a source was down"),
    "stale_source": pgettext_lazy("bar", "resting on stale records"),
    "other_currency": pgettext_lazy("bar", "in another currency"),
}
SIMULATED_BY: Labels = {
    "product_kind": _("Kind of product"),
    "channel": _("Channel"),
    "grade": _("Grade"),
    "branch": _("Branch"),
}
MODES: Labels = {"model": _("Model"), "fallback": _("Fallback")}

STEP_KINDS: Labels = {
    "knockout": _("Knock-out"),
    "legal": _("Law"),
    "limit": _("Limit"),
    "affordability": _("Affordability"),
    "collateral": _("Collateral"),
    "cut_off": _("Cut-off"),
    "cap": _("Cap"),
    "price": _("Price"),
}
# Beside those of the scoring vocabulary, which has texts of its own.
RECORD_FACTS: Labels = {
    "name": _("name in the register"),
    "taxes_paid": _("taxes paid"),
    "property_use": _("use of the property"),
    "cadastral_value": _("cadastral value"),
    "is_encumbered": _("encumbered"),
    "owner_name": _("owner"),
    "owner_identifier": _("owner's identifier"),
    "owner_matches": _("the owner is the applicant"),
    "self_banned": _("banned themselves from credit"),
}
LAND_USES: Labels = {
    "residential": _("residential"),
    "commercial": _("commercial"),
    "industrial": _("industrial"),
    "agricultural": _("agricultural"),
    "other": _("other use"),
}
OVERRIDE_REASONS: Labels = {
    "verified_income": _("Income was verified"),
    "collateral": _("Collateral"),
    "guarantor": _("Guarantor"),
    "long_relation": _("Long relation"),
    "wrong_record": _("A record is wrong"),
    "adverse_news": _("Adverse news"),
    "unverified_income": _("Income was not verified"),
    "conduct": _("Conduct"),
    "amount": _("Amount"),
    "other": pgettext_lazy("reason", "Other"),
}
SECOND_PERSON: Labels = {
    "amount": _("the amount is above what one person may decide"),
    "override": _("it goes against the policy"),
    "knockout": _("a knock-out rule speaks against it"),
}

UPLOAD_STATES: Labels = {
    "uploaded": pgettext_lazy("upload", "Uploaded"),
    "mapped": pgettext_lazy("upload", "Columns chosen"),
    "scoring": pgettext_lazy("upload", "Being scored"),
    "done": pgettext_lazy("upload", "Scored"),
    "failed": pgettext_lazy("upload", "Failed"),
    "cancelled": pgettext_lazy("upload", "Stopped"),
}
UPLOAD_PROBLEMS: Labels = {
    "damaged": _("The file cannot be read: it is damaged, or not what its name says."),
    "empty": _("The file is empty."),
    "format": _("Give a CSV (.csv), Parquet (.parquet) or Excel (.xlsx) file; its content must fit its name."),
    "no_columns": _("The file has no columns."),
    "columns": _("The file has more columns than are taken."),
    "twice": _("Two columns of the file have the same name; give each its own."),
    "bytes": _("The file has more bytes than are taken."),
    "rows": _("The file has more rows than are taken."),
    "cells": _("The file has more cells than are taken."),
    "unpacked": _("Unpacked, the file is larger than is taken."),
    "stopped": _("The worker stopped each time; see the log of the worker, or upload the file again in parts."),
    "model": _("The model that was chosen when the scoring began cannot be read any more."),
    "no_rows": _("The file has no rows under its names of columns."),
}
RESULT_COLUMNS: Labels = {
    "row": _("Row"),
    "row_id": _("Row id"),
    "score": _("Score"),
    "probability_of_default": _("Probability of default"),
    "grade": _("Grade"),
    "mode": _("Scored by"),
    "reason_1": _("What cost most points"),
    "reason_2": _("What cost points, second"),
    "reason_3": _("What cost points, third"),
    "reason_4": _("What cost points, fourth"),
    "warnings": _("Required, not given"),
    "errors": _("Why it was refused"),
}
DELIMITERS: Labels = {"comma": _("comma"), "semicolon": _("semicolon"), "tab": _("tab")}
LABELS: Mapping[str, Labels] = {
    "stability": STABILITY,
    "step_kind": STEP_KINDS,
    "record_fact": RECORD_FACTS,
    "land_use": LAND_USES,
    "override_reason": OVERRIDE_REASONS,
    "second_person": SECOND_PERSON,
    "role": ROLES,
    "status": STATUSES,
    "outcome": OUTCOMES,
    "decision_kind": DECISION_KINDS,
    "flag": FLAGS,
    "applicant": APPLICANTS,
    "channel": CHANNELS,
    "product_kind": PRODUCT_KINDS,
    "source": SOURCES,
    "origin": ORIGINS,
    "consent": CONSENT_STATES,
    "consent_history": CONSENT_HISTORY,
    "consent_purpose": CONSENT_PURPOSES,
    "industry": INDUSTRIES,
    "direction": DIRECTIONS,
    "override_state": OVERRIDE_STATES,
    "mode": MODES,
    "policy_state": POLICY_STATES,
    "rule_kind": RULE_KINDS,
    "unknown": UNKNOWNS,
    "cut_off_on": CUT_OFF_NAMES,
    "job_state": JOB_STATES,
    "side": SIDES,
    "bar": BARS,
    "simulated_by": SIMULATED_BY,
    "segment": SEGMENTS,
    "model_state": MODEL_STATES,
    "model_change": MODEL_CHANGES,
    "model_kind": MODEL_KINDS,
    "model_origin": MODEL_ORIGINS,
    "sample": SAMPLES,
    "measure": MEASURES,
    "upload_state": UPLOAD_STATES,
    "upload_problem": UPLOAD_PROBLEMS,
    "delimiter": DELIMITERS,
}
