"""How a challenger grades beside the champion, as both were logged: from the plain columns, nothing is unsealed."""

from collections import Counter
from dataclasses import dataclass
from statistics import fmean

from apps.scoring_engine.models import CHALLENGER, GRADE_LETTERS, ModelVersion, PredictionLog

NEWEST = 2_000


@dataclass(frozen=True, slots=True)
class Beside:
    """Of the newest scorings that both made. `grades`: for each grade of the champion, how many got which of the
    challenger's, in the order of GRADE_LETTERS. `same_grade`: a share. `mean_difference`: challenger's score less the
    champion's.
    """

    scorings: int
    grades: list[tuple[str, list[int]]]
    same_grade: float
    mean_difference: float


def challenger_beside(champion: ModelVersion, challenger: ModelVersion, *, newest: int = NEWEST) -> Beside | None:
    """None where the two have not yet scored the same applicants."""
    rows = PredictionLog.objects.filter(role=CHALLENGER, card_id=challenger.card_id).order_by("-created_at", "-id")
    seconds = list(rows.values_list("beside", "grade", "score")[:newest])
    firsts = PredictionLog.objects.filter(id__in=[row[0] for row in seconds], card_id=champion.card_id)
    by_id = {row[0]: row[1:] for row in firsts.values_list("id", "grade", "score")}
    pairs = [(by_id[id_], (grade, score)) for id_, grade, score in seconds if id_ in by_id]
    if not pairs:
        return None
    counted = Counter((first[0], second[0]) for first, second in pairs)
    return Beside(
        scorings=len(pairs),
        grades=[(one, [counted[one, other] for other in GRADE_LETTERS]) for one in GRADE_LETTERS],
        same_grade=fmean(first[0] == second[0] for first, second in pairs),
        mean_difference=fmean(second[1] - first[1] for first, second in pairs),
    )
