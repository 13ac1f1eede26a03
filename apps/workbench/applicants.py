"""Who asks for credit, as a list names them: by name alone, never by an identifier."""

from dataclasses import dataclass

from apps.credit_requests.models import CreditRequest


@dataclass(frozen=True, slots=True)
class Named:
    """`name` is None once the personal data were erased."""

    name: str | None
    segment: str


def name_applicant(credit_request: CreditRequest) -> Named:
    applicant, segment = credit_request.applicant, credit_request.segment
    if applicant.data_key.destroyed_at is not None:
        return Named(None, segment)
    return Named(applicant.profile["full_name" if segment == "individual" else "company_name"], segment)
