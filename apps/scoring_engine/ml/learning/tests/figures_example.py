"""Figures of a validation, made up: every part that a report can show."""

from typing import Any


def example_figures() -> dict[str, Any]:
    """A fresh dict on each call."""
    return {
        "format": 1,
        "model": _model(), "data": _data(),
        "accepted": {"cut_off": 431, "source": "share", "share": 0.704},
        "training": _evidence(6000, 780, 0.71), "test": _evidence(2000, 300, 0.683),
        "score_stability": {"psi": 0.034, "psi_by_chance": 0.0013, "light": "green", "bands": [
            {"from": None, "below": 420, "training": 1500, "test": 450},
            {"from": 420, "below": 480, "training": 3000, "test": 1050},
            {"from": 480, "below": None, "training": 1500, "test": 500},
        ]},
        "tables": [_income(), _purpose(), _pair()],
        "monotonicity": [
            {"table": "debt_to_income", "feature": "debt_to_income", "direction": "higher_is_riskier",
             "kind": "characteristic", "points": [22, 4, -30], "steps": 2, "against": 0},
            {"table": "debt_to_income x inquiries", "feature": "inquiries", "direction": "higher_is_riskier",
             "kind": "pair", "points": [[6, 1], [2, -3], [0, -9]], "steps": 3, "against": 0},
        ],
        "segments": {"product": [
            {"level": "car", "rows": 1500, "bads": 210, "bad_rate": 0.14, "expected_bads": 204.0,
             "observed_to_expected": 1.029, "auc": 0.69, "auc_lower": 0.66, "auc_upper": 0.72},
            {"level": "<wedding>", "rows": 30, "bads": 5, "bad_rate": 0.1667, "expected_bads": 6.0,
             "observed_to_expected": 0.83, "auc": None, "auc_lower": None, "auc_upper": None},
        ]},
        "comparison": {
            "training_rows": 6000, "all_training_rows": 6000, "features": 3, "accept_share": 0.704, "seed": 7,
            "challengers": [_challenger("logistic regression", 0.671, 0.012, 0.003, 0.021, 0.009),
                            _challenger("LightGBM", 0.689, -0.006, -0.014, 0.002, 0.14)],
        },
        "fairness": {"sex": {"rows": 1990, "not_given": 10, "reference": "male", "groups": [
            _group("male", 1400, 0.71, 1.0, True), _group("female", 570, 0.69, 0.972, True),
            _group("other", 20, 0.5, 0.704, False),
        ]}},
        "gaming": {
            "seed": 7, "directed_inputs": ["existing_debt"], "undirected_inputs": ["purpose"],
            "worsening": {"pairs": 19700, "score_rose": 0, "largest_rise": 0, "violations": 0, "worst": None},
            "hiding": {"pairs": 20000, "score_rose": 310, "largest_rise": 6, "violations": 0, "worst": None},
            "hiding_tables_without_ceiling": [],
            "hiding_moved_over_cut_off": {"required_inputs": 3, "optional_inputs": 12}, "cut_off": 431,
        },
        "gates": [
            {"gate": "auc", "required": "at least 0.65", "found": 0.683, "passed": True}
        ],
        "reject_inference": None,
    }  # fmt: skip


def _model() -> dict[str, Any]:
    return {
        "file": "individual_model.joblib", "sha256": "ab" * 32, "card_digest": "cd" * 32, "grades": "grades-1",
        "version": "small-1.0.0", "segment": "individual", "purpose": "own", "definition_of_bad": "90 days & more late",
        "horizon": {"kind": "fixed", "months": 12}, "base_points": 455, "points_to_double_odds": 50,
        "reference": "all_applicants", "title": "A made-up table", "origin": "numbers drawn for a test",
        "population": "nobody", "owner": "", "use": "", "materiality": "", "materiality_why": "",
        "reference_score": 455, "least_score": 380, "most_score": 500, "characteristics": 2, "pairs": 1, "bins": 5,
        "cells": 6, "required_inputs": ["existing_debt"], "has_manifest": True,
    }  # fmt: skip


def _data() -> dict[str, Any]:
    return {
        "kind": "out_of_time",
        "sources": [{"name": "data", "file": "loans.csv", "sha256": "ef" * 32, "rows": 8100, "as_in_training": True}],
        "recipe": {"file": "recipe.toml", "sha256": "01" * 32, "named_by_hand": False},
        "cut": "2015-01-01", "holdout": None, "grouped_by": None, "weighted_by": None, "rows_in_file": 8100,
        "rows_used": 8000, "excluded": [{"reason": "test loans <of the bank>", "rows": 100}],
        "warnings": ["Column 'colour' is not used."],
        "test_from": "2015-01-02", "test_to": "2016-12-30", "seed": 7, "most_challenger_rows": 250_000,
    }  # fmt: skip


def _evidence(rows: int, bads: int, auc: float) -> dict[str, Any]:
    shares = [i / 20 for i in range(21)]
    curve = [[x, x ** (1 / auc - 1)] for x in shares]
    return {
        "auc": auc, "gini": 2 * auc - 1, "ks": 0.27, "brier": 0.1217, "log_loss": 0.39, "calibration_slope": 1.03,
        "calibration_slope_lower": 0.91, "calibration_slope_upper": 1.15,
        "calibration_intercept": 0.012, "observed_to_expected": 1.01, "expected_calibration_error": 0.0081,
        "bad_rate": bads / rows, "rows": rows, "bads": bads, "expected_bads": bads / 1.01, "weighted": False,
        "auc_lower": auc - 0.015, "auc_upper": auc + 0.015, "lift_at_10": 2.1,
        "hosmer_lemeshow": {"statistic": 7.2, "degrees_of_freedom": 8, "p_value": 0.515, "light": "green"},
        "spiegelhalter": {"z": -0.4, "p_value": 0.69, "light": "green"},
        "roc": curve, "gain": curve,
        "calibration": [{"rows": 200, "bads": 6 + 5 * k, "expected": (6 + 5 * k) / 198, "observed": (6 + 5 * k) / 200,
                         "lower": (2 + 5 * k) / 200, "upper": (11 + 6 * k) / 200} for k in range(10)],
        "distribution": {"width": 10, "bands": [
            {"from": 380 + 10 * k, "goods": 30 + 25 * min(k, 12 - k), "bads": 40 - 3 * k} for k in range(13)
        ]},
        "grades": [
            {"grade": "D", "rows": 0, "bads": 0, "expected": None, "observed": None, "binomial": None,
             "jeffreys": None},
            {"grade": "E", "rows": 900, "bads": 60, "expected": 0.066, "observed": 0.0667,
             "binomial": {"p_value": 0.48, "light": "green"}, "jeffreys": {"p_value": 0.46, "light": "green"}},
        ],
    }  # fmt: skip


def _income() -> dict[str, Any]:
    return {
        "name": "debt_to_income", "title": "Debt to income", "kind": "characteristic", "features": ["debt_to_income"],
        "directions": ["higher_is_riskier"], "code": "DEBT", "reference_points": 3,
        "labels": ["(-inf, 0.2)", "[0.2, 0.5)", "[0.5, inf)", "missing", "unavailable"],
        "points": [22, 4, -30, -12, 3], "axes": [["(-inf, 0.2)", "[0.2, 0.5)", "[0.5, inf)"]], "least_points": -30,
        "most_points": 22, "psi": 0.02, "psi_by_chance": 0.002, "light": "green",
        "training": {"rows": [2000, 2500, 1400, 100, 0], "bads": [150, 300, 310, 20, 0], "information_value": 0.21},
        "test": {"rows": [640, 860, 480, 20, 0], "bads": [60, 120, 116, 4, 0], "information_value": 0.2},
    }  # fmt: skip


def _purpose() -> dict[str, Any]:
    return {
        "name": "purpose", "title": "Purpose", "kind": "characteristic", "features": ["purpose"],
        "directions": ["free"], "code": "PURPOSE", "reference_points": 0,
        "labels": ["car|home_improvement", "<script>alert(1)</script>", "missing", "unavailable", "unseen"],
        "points": [5, -9, -9, 0, -9], "axes": [["car|home_improvement", "<script>alert(1)</script>"]],
        "least_points": -9, "most_points": 5, "psi": 0.31, "psi_by_chance": 0.0007, "light": "red",
        "training": {"rows": [4000, 2000, 0, 0, 0], "bads": [450, 330, 0, 0, 0], "information_value": 0.05},
        "test": {"rows": [900, 1100, 0, 0, 0], "bads": [110, 190, 0, 0, 0], "information_value": 0.04},
    }  # fmt: skip


def _pair() -> dict[str, Any]:
    low, high = ["(-inf, 0.2)", "[0.2, 0.5)", "[0.5, inf)"], ["(-inf, 2.0)", "[2.0, inf)"]
    return {
        "name": "debt_to_income x inquiries", "title": "Debt to income x Inquiries", "kind": "pair",
        "features": ["debt_to_income", "inquiries"], "directions": ["free", "higher_is_riskier"], "code": "DEBT_INQ",
        "reference_points": 0,
        "labels": [*(f"{a} x {b}" for a in low for b in high), "missing", "unavailable", "special"],
        "points": [6, 1, 2, -3, 0, -9, -2, 0, 0], "axes": [low, high], "least_points": -9, "most_points": 6,
        "psi": 0.05, "psi_by_chance": 0.004, "light": "green",
        "training": {"rows": [1200, 800, 1500, 1000, 700, 700, 100, 0, 0],
                     "bads": [80, 70, 170, 130, 140, 170, 20, 0, 0], "information_value": 0.2},
        "test": {"rows": [400, 240, 500, 360, 230, 250, 20, 0, 0], "bads": [34, 26, 60, 60, 50, 66, 4, 0, 0],
                 "information_value": 0.19},
    }  # fmt: skip


def _challenger(name: str, auc: float, difference: float, lower: float, upper: float, p: float) -> dict[str, Any]:
    return {
        "name": name, "auc": auc, "card_auc": auc + difference, "difference": difference, "lower": lower,
        "upper": upper, "p_value": p, "swap": {"in_rows": 120, "in_bads": 20, "out_rows": 118, "out_bads": 24},
    }  # fmt: skip


def _group(name: str, rows: int, rate: float, ratio: float, enough: bool) -> dict[str, Any]:
    impact = {"group": name, "rows": rows, "rate": rate, "ratio": ratio, "lower": ratio - 0.05, "upper": ratio + 0.05,
              "enough": enough}  # fmt: skip
    calibration = {"group": name, "rows": rows, "bads": rows // 7, "expected": 0.14, "observed": 0.142, "ratio": 1.014,
                   "lower": 0.9, "upper": 1.14, "enough": enough}  # fmt: skip
    return {"group": name, "approval": impact, "approval_of_goods": impact, "calibration": calibration}
