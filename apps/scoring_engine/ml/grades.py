"""From a score to a probability, from a probability to a grade that means the same in every segment."""

GRADES_VERSION = "grades-1"
POINTS_TO_DOUBLE_ODDS = 50
EVEN_ODDS_SCORE = 400

# Each grade holds annual probabilities below its bound; the bounds double, as the odds do every 50 points.
GRADES: tuple[tuple[str, float], ...] = (
    ("A", 0.005),
    ("B", 0.01),
    ("C", 0.02),
    ("D", 0.04),
    ("E", 0.08),
    ("F", 0.16),
    ("G", 1.0),
)


def probability_of_default(score: int) -> float:
    """1 / (1 + 2 ** ((score - 400) / 50)), over the horizon of the card that gave the score."""
    return 1 / (1 + 2 ** ((score - EVEN_ODDS_SCORE) / POINTS_TO_DOUBLE_ODDS))


def annual_probability(probability: float, months: int) -> float:
    """The probability within one year that, at a steady rate, gives `probability` within `months`."""
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability must be from 0 to 1, not {probability}")
    if months < 1:
        raise ValueError(f"a horizon must be at least 1 month, not {months}")
    return 1 - (1 - probability) ** (12 / months)


def grade(probability: float, months: int) -> str:
    """The letter (of GRADES_VERSION) for a probability of default within `months`."""
    annual = annual_probability(probability, months)
    return next((letter for letter, bound in GRADES if annual < bound), GRADES[-1][0])
