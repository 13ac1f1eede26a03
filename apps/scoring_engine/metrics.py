"""What Prometheus and the log learn of a scoring: counts and opaque ids."""

from collections import Counter as Counted
from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from apps.scoring_engine.log_rows import LogRow
from apps.scoring_engine.models import PredictionLog

log = structlog.get_logger("scoring")
CHALLENGER_FAILURES = Counter(
    "credit_ml_challenger_failures_total", "Scorings that the challenger could not follow", ["segment"]
)
PREDICTIONS = Counter("credit_ml_predictions_total", "Scorings that were committed", ["segment", "mode"])


def report_prediction(prediction: PredictionLog) -> None:
    """To be called once the row is committed."""
    PREDICTIONS.labels(segment=prediction.segment, mode=prediction.mode).inc()
    log.info(
        "scored",
        prediction_id=str(prediction.id),
        credit_request=prediction.request_id and str(prediction.request_id),
        segment=prediction.segment,
        mode=prediction.mode,
        model_version=prediction.model_version,
        cause=prediction.cause,
    )
    if prediction.mode == "fallback":
        log.warning("fallback", prediction_id=str(prediction.id), reason=prediction.mode_reason)


def report_bulk(predictions: Sequence[LogRow]) -> None:
    """The same of many of one segment that were committed together, in one line: ten thousand tell nobody more."""
    first = predictions[0]
    for mode, rows in Counted(prediction.mode for prediction in predictions).items():
        PREDICTIONS.labels(segment=first.segment, mode=mode).inc(rows)
    log.info("scored_in_bulk", rows=len(predictions), segment=first.segment, cause=first.cause)
    reasons = Counted(prediction.mode_reason for prediction in predictions if prediction.mode == "fallback")
    for reason, rows in reasons.items():
        log.warning("fallback", rows=rows, reason=reason)


def report_challenger_failure(prediction: LogRow, version: str, reason: str) -> None:
    CHALLENGER_FAILURES.labels(segment=prediction.segment).inc()
    log.warning("challenger_failed", prediction_id=str(prediction.id), model_version=version, reason=reason)


def report_unusable_challenger(segment: str, version: str, reason: str) -> None:
    CHALLENGER_FAILURES.labels(segment=segment).inc()
    log.warning("challenger_unusable", segment=segment, model_version=version, reason=reason)
