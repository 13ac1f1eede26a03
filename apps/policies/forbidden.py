"""Why a policy may not speak of a name."""

from apps.common.sentences import Sentence
from apps.policies.names import names_of
from apps.scoring_engine.ml.vocabulary import NEVER_SCORED, SEGMENTS

_WORDS = ("sex", "gender", "ethnicity", "nationality", "place", "region", "address", "pinfl")


def forbidden_word(name: str) -> str | None:
    """What is forbidden in a name: `region` in home_region."""
    return next((word for word in _WORDS if word in name.split("_")), None)


def why_unknown(name: str) -> str:
    """Of a name that a policy does not know: a clause that says why, and what to write instead."""
    if name == "probability_of_default":
        return Sentence(
            "probability_of_default has a horizon of its own: annualise it, write annual_probability_of_default"
        )
    if word := forbidden_word(name):
        return Sentence("{name} must not count: {why}", name=name, why=NEVER_SCORED[word])
    if name in ("age", "birth_date"):
        return Sentence(
            "{name} must not count: {why}, as age_years and age_at_maturity", name=name, why=NEVER_SCORED["age"]
        )
    known_in = [segment for segment in SEGMENTS if name in names_of(segment)]
    if known_in:
        return Sentence("{name} is known of the segment {segment} only", name=name, segment=known_in[0])
    return Sentence(
        "{name} is not known: it is no fact of this segment, and no value or feature of this file", name=name
    )
