"""docs/api/openapi.yaml is what the code describes; `make openapi` writes it anew."""

import io
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

pytestmark = pytest.mark.django_db
COMMITTED = Path(settings.BASE_DIR) / "docs" / "api" / "openapi.yaml"


def test_the_committed_description_is_current():
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert out.getvalue().rstrip() == COMMITTED.read_text().rstrip(), "run `make openapi`"


def test_every_address_of_the_system_is_described():
    described = set(yaml.safe_load(COMMITTED.read_text())["paths"])
    assert {
        "/api/auth/login/",
        "/api/score/individual/",
        "/api/score/schema/{segment}/",
        "/api/external/soliq/{inn}/",
        "/api/external/kadastr/{parcel_id}/",
        "/api/external/soliq/lookup/",
        "/api/credit-requests/{id}/withdraw/",
        "/api/prediction-logs/",
        "/api/audit/",
    } <= described


def test_no_reply_is_described_as_just_any_object():
    """But for the details of audit events, which differ by action."""
    schemas = yaml.safe_load(COMMITTED.read_text())["components"]["schemas"]
    free = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if described.get("additionalProperties") == {}
    }
    assert free == set()
    assert schemas["CreditRequest"]["properties"]["prediction"]["allOf"] == [{"$ref": "#/components/schemas/Scoring"}]
