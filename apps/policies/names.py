"""What a policy may speak of: the facts of the segment, the product's terms, the applicant's age, the assessment."""

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


_OF_REQUEST = {
    "product_kind": Name(TEXT, "category", PRODUCT_KINDS),
    "repayment_type": Name(TEXT, "category", REPAYMENT_TYPES),
    "channel": Name(TEXT, "category", CHANNELS),
    "annual_rate": Name(NUMBER, "ratio per year"),
}
_OF_PERSON = {
    "self_banned": Name(FLAG, "flag"),
    "online_requests_today": Name(NUMBER, "count"),
    "age_years": Name(NUMBER, "years"),
    "age_at_maturity": Name(NUMBER, "years"),
}
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
    of_person = _OF_PERSON if segment == "individual" else {}
    return facts | _OF_REQUEST | of_person | _OF_ASSESSMENT
