"""What tests read out of a reply."""

from rest_framework.response import Response


def problem(response: Response, status: int) -> dict[str, str]:
    """The fields that a refusal names, each with its message; the reply must be a problem of that status."""
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    return {error["field"]: error["message"] for error in response.json()["errors"]}
