"""One address: facts in, probability and contributions out, nothing checked and nothing kept."""

import os

import lightgbm
import numpy as np
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.scoring_engine.ml.risk_model import card_in_service
from benchmarks.scoring_speed import row_builder

card = card_in_service("individual").card
columns = [c.feature for c in card.characteristics]
row_of = row_builder(card)
booster = lightgbm.Booster(model_file=os.environ["PLAIN_SITE_MODEL"])


class ScoreView(APIView):
    def post(self, request: Request) -> Response:
        row = np.array([row_of(request.data)])
        contributions = booster.predict(row, pred_contrib=True, num_threads=1)[0]
        reasons = sorted(zip(contributions.tolist(), columns, strict=False), reverse=True)
        probability = 1 / (1 + np.exp(-contributions.sum()))
        explanation = [{"feature": name, "contribution": share} for share, name in reasons]
        return Response({"probability_of_default": float(probability), "explanation": explanation})


urlpatterns = [path("score/", ScoreView.as_view())]
