"""What a policy may speak of: the facts of the segment, the product's terms, the applicant's age, the assessment, and
whether a register contradicts the applicant.
"""

from dataclasses import dataclass
from functools import cache

from apps.policies.expressions import FLAG, NUMBER, TEXT
from apps.scoring_engine.ml.grades import GRADES
from apps.scoring_engine.ml.vocabulary import FACTS

PRODUCT_KINDS = ("microloan", "mortgage", "consumer", "business", "other")
REPAYMENT_TYPES = ("annuity", "differentiated", "bullet")
CHANNELS = ("branch", "online", "partner", "phone")


@dataclass(frozen=True, slots=True)
class Name:
    """unit: as in the vocabulary of facts, money being `currency`. values: those of a category, empty if any."""

    kind: str
    unit: str
    values: tuple[str, ...] = ()


_FLAG = Name(FLAG, "flag")
_OF_REQUEST = {
    "product_kind": Name(TEXT, "category", PRODUCT_KINDS),
    "repayment_type": Name(TEXT, "category", REPAYMENT_TYPES),
    "channel": Name(TEXT, "category", CHANNELS),
    "annual_rate": Name(NUMBER, "ratio per year"),
    "owner_contradiction": _FLAG,
    "name_contradiction": _FLAG,
}
_OF_PERSON = {
    "self_banned": _FLAG,
    "online_requests_today": Name(NUMBER, "count"),
    "age_years": Name(NUMBER, "years"),
    "age_at_maturity": Name(NUMBER, "years"),
    "income_contradiction": _FLAG,
    "debt_contradiction": _FLAG,
}
_OF_COMPANY = {"revenue_contradiction": _FLAG}
_OF_ASSESSMENT = {
    "score": Name(NUMBER, "score"),
    "annual_probability_of_default": Name(NUMBER, "probability"),
    "grade": Name(TEXT, "category", tuple(letter for letter, _ in GRADES)),
    "loss_given_default": Name(NUMBER, "ratio"),
}
_KINDS = {"flag": FLAG, "category": TEXT}


@cache
def names_of(segment: str) -> dict[str, Name]:
    """Names by themselves; days are left out, for there is no arithmetic of days here."""
    facts = {
        name: Name(_KINDS.get(fact.kind, NUMBER), fact.unit, fact.values)
        for name, fact in FACTS[segment].items()
        if fact.kind != "date"
    }
    of_applicant = _OF_PERSON if segment == "individual" else _OF_COMPANY
    return facts | _OF_REQUEST | of_applicant | _OF_ASSESSMENT
