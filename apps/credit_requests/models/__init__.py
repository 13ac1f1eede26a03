"""The tables of credit requests: what is offered and asked for, and what was decided."""

from apps.credit_requests.models.decisions import Decision, Override, RegisterAnswer, StaffLink
from apps.credit_requests.models.requests import (
    MOST_FEE_RATE,
    MOST_RATE,
    MOST_TERM,
    CreditRequest,
    CreditRequestQuerySet,
    Product,
)
from apps.credit_requests.models.simulations import Simulation

__all__ = [
    "MOST_FEE_RATE",
    "MOST_RATE",
    "MOST_TERM",
    "CreditRequest",
    "CreditRequestQuerySet",
    "Decision",
    "Override",
    "Product",
    "RegisterAnswer",
    "Simulation",
    "StaffLink",
]
