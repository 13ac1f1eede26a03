"""docs/api/soliq.yaml and kadastr.yaml say what the readers of the replies check."""

from pathlib import Path
from typing import Any

import yaml
from django.test import SimpleTestCase
from rest_framework import serializers

from apps.common.fields import MoneyField, StrictFlag, StrictNumber
from apps.external_integrations.contracts import InstantField, KadastrReply, SoliqReply

ROOT = Path(__file__).resolve().parents[3]


def described(field: serializers.Field) -> dict[str, Any]:
    """The JSON schema of a field, as far as the contract files say it."""
    if isinstance(field, MoneyField | StrictNumber):
        kind = "integer" if isinstance(field, MoneyField) else "number"
        bounds = {"type": kind, "minimum": field.min_value, "maximum": field.max_value}
        return {"oneOf": [bounds, {"type": "null"}]} if field.allow_null else bounds
    if isinstance(field, StrictFlag):
        return {"type": "boolean"}
    if isinstance(field, InstantField):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, serializers.ChoiceField):
        return {"enum": list(field.choices)}
    return {"type": "string", "maxLength": field.max_length}


def resolved(schema: Any, schemas: dict[str, Any]) -> Any:
    """The schema with its references filled in and its descriptions left out."""
    if isinstance(schema, list):
        return [resolved(item, schemas) for item in schema]
    if not isinstance(schema, dict):
        return schema
    target = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    whole = target | {name: value for name, value in schema.items() if name != "$ref"}
    return {name: resolved(value, schemas) for name, value in whole.items() if name != "description"}


class ContractFileTests(SimpleTestCase):
    def test_fields_types_and_bounds_are_alike(self):
        for name, schema, reply in (("soliq", "TaxpayerRecord", SoliqReply), ("kadastr", "ParcelRecord", KadastrReply)):
            contract = yaml.safe_load((ROOT / f"docs/api/{name}.yaml").read_text())
            schemas = contract["components"]["schemas"]
            fields = reply().fields
            with self.subTest(source=name):
                self.assertEqual(schemas[schema]["required"], list(fields))
                told = resolved(schemas[schema]["properties"], schemas)
                self.assertEqual(told, {field: described(fields[field]) for field in fields})
                self.assertIn("This shape is our own.", contract["info"]["description"])
