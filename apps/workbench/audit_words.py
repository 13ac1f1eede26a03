"""What the audit trail speaks of, in words: subjects by model, and actions as a subject with a verb."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.workbench.labels import Labels

SUBJECTS: Labels = {
    "individuals.Individual": _("Person"),
    "companies.Company": _("Company"),
    "credit_requests.CreditRequest": _("Credit request"),
    "credit_requests.Decision": _("Decision"),
    "credit_requests.Override": _("Override"),
    "credit_requests.Product": _("Product"),
    "credit_requests.StaffLink": _("Link of a colleague"),
    "credit_requests.Simulation": _("Simulation"),
    "external_integrations.ExternalRecord": _("External record"),
    "external_integrations.Consent": _("Consent"),
    "scoring_engine.PredictionLog": _("Scoring"),
    "scoring_engine.ModelVersion": _("Model"),
    "scoring_engine.RetentionRun": _("Clean-up"),
    "policies.PolicyVersion": _("Policy"),
    "portfolio.MonitoringWeek": _("Week of monitoring"),
    "accounts.User": _("User account"),
    "accounts.Branch": _("Branch"),
    "webhooks.WebhookEndpoint": _("Webhook"),
    "webhooks.WebhookDelivery": _("Webhook delivery"),
    "workbench.SavedView": _("Saved view"),
    "common.DataKey": _("Data key"),
}
# The part of an action after its dot. Others are shown as they are coded.
VERBS: Labels = {
    "create": pgettext_lazy("audit", "created"),
    "create_bulk": pgettext_lazy("audit", "created in bulk"),
    "update": pgettext_lazy("audit", "changed"),
    "change": pgettext_lazy("audit", "terms changed"),
    "erase": pgettext_lazy("audit", "erased"),
    "destroy": pgettext_lazy("audit", "destroyed"),
    "score": pgettext_lazy("audit", "scored"),
    "records": pgettext_lazy("audit", "tied to other records"),
    "decide": pgettext_lazy("audit", "decided by the policy"),
    "approve": pgettext_lazy("audit", "approved"),
    "decline": pgettext_lazy("audit", "declined"),
    "refer": pgettext_lazy("audit", "passed on to people"),
    "referred": pgettext_lazy("audit", "passed on to people"),
    "review": pgettext_lazy("audit", "looked at again"),
    "withdraw": pgettext_lazy("audit", "withdrawn"),
    "register_answer": pgettext_lazy("audit", "answer of a register entered"),
    "letter": pgettext_lazy("audit", "letter read"),
    "snapshot": pgettext_lazy("audit", "exported as a table"),
    "record": pgettext_lazy("audit", "recorded"),
    "look_up": pgettext_lazy("audit", "looked at"),
    "want": pgettext_lazy("audit", "wanted for a request"),
    "ask": pgettext_lazy("audit", "asked for"),
    "fetch": pgettext_lazy("audit", "fetched from the source"),
    "fetch_failed": pgettext_lazy("audit", "not fetched: the source failed"),
    "unknown": pgettext_lazy("audit", "unknown to the source"),
    "mock_ignored": pgettext_lazy("audit", "invented answer not taken"),
    "read_history": pgettext_lazy("audit", "history read"),
    "replay": pgettext_lazy("audit", "replayed"),
    "fairness": pgettext_lazy("audit", "fairness reported"),
    "validate": pgettext_lazy("audit", "validated"),
    "register": pgettext_lazy("audit", "registered"),
    "promote": pgettext_lazy("audit", "put into service"),
    "challenge": pgettext_lazy("audit", "set beside the champion"),
    "rollback": pgettext_lazy("audit", "rolled back"),
    "retire": pgettext_lazy("audit", "retired"),
    "compare": pgettext_lazy("audit", "compared"),
    "draft": pgettext_lazy("audit", "drafted"),
    "publish": pgettext_lazy("audit", "published"),
    "discard": pgettext_lazy("audit", "discarded"),
    "simulate": pgettext_lazy("audit", "simulated"),
    "request": pgettext_lazy("audit", "requested"),
    "confirm": pgettext_lazy("audit", "confirmed by a second person"),
    "refuse": pgettext_lazy("audit", "refused by a second person"),
    "expire": pgettext_lazy("audit", "expired"),
    "close": pgettext_lazy("audit", "closed"),
    "finish": pgettext_lazy("audit", "finished"),
    "declare": pgettext_lazy("audit", "declared"),
    "end": pgettext_lazy("audit", "ended"),
    "start": pgettext_lazy("audit", "begun"),
    "issue": pgettext_lazy("audit", "issued"),
    "revoke": pgettext_lazy("audit", "revoked"),
    "set_password": pgettext_lazy("audit", "password set"),
    "rotate": pgettext_lazy("audit", "keys rotated"),
    "rotate_secret": pgettext_lazy("audit", "secret rotated"),
    "disable": pgettext_lazy("audit", "switched off"),
    "ping": pgettext_lazy("audit", "tried out"),
    "redeliver": pgettext_lazy("audit", "sent again"),
    "give_up": pgettext_lazy("audit", "given up"),
    "run": pgettext_lazy("audit", "run"),
    "count": pgettext_lazy("audit", "counted"),
    "save": pgettext_lazy("audit", "saved"),
    "delete": pgettext_lazy("audit", "deleted"),
    "export": pgettext_lazy("audit", "audit trail exported"),
}
# Where the first part of an action is another thing than its subject.
THINGS: Labels = {"session": _("Session"), "token": _("Token"), "keys": _("Data key"), "audit": _("Audit trail")}

# What a replay compares; each characteristic is told by its code beside these.
COMPARED: Labels = {
    "score": _("Score"),
    "probability_of_default": _("Probability of default"),
    "grade": _("Grade"),
    "horizon_kind": _("Kind of horizon"),
    "horizon_months": _("Months of the horizon"),
    "model_version": _("Model"),
    "base_points": _("Base points"),
    "reference_score": _("Score of a typical applicant"),
    "inputs_digest": _("Digest of the inputs"),
}


def say_action(action: str, subject_type: str) -> str:
    """ "Credit request: scored"."""
    thing, _dot, verb = action.partition(".")
    subject: Any = THINGS.get(thing) or SUBJECTS.get(subject_type, subject_type)
    return f"{subject}: {VERBS.get(verb, verb)}"
