"""docs/api/<source>.yaml says what the readers of the replies check."""

from pathlib import Path
from typing import Any

import yaml
from django.test import SimpleTestCase
from rest_framework import serializers

from apps.common.fields import DayField, StrictFlag, StrictInteger, StrictNumber
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.sources.contract import InstantField
from apps.external_integrations.tests.factories import INN, PARCEL, PINFL, at

ROOT = Path(__file__).resolve().parents[3]


def described(field: serializers.Field) -> dict[str, Any]:
    """The JSON schema of a field, as far as the contract files say it."""
    kind = _kind(field)
    return {"oneOf": [kind, {"type": "null"}]} if field.allow_null else kind


def _kind(field: serializers.Field) -> dict[str, Any]:
    if isinstance(field, StrictInteger | StrictNumber):
        name = "integer" if isinstance(field, StrictInteger) else "number"
        return {"type": name, "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, StrictFlag):
        return {"type": "boolean"}
    if isinstance(field, InstantField | DayField):
        return {"type": "string", "format": "date-time" if isinstance(field, InstantField) else "date"}
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
        for name, contract in SOURCES.items():
            document = yaml.safe_load((ROOT / f"docs/api/{name}.yaml").read_text())
            reply = document["paths"][contract.path]["post"]["responses"]["200"]["content"]["application/json"][
                "schema"
            ]
            schemas, fields = document["components"]["schemas"], contract.reply().fields
            with self.subTest(source=name):
                record = schemas[reply["$ref"].rpartition("/")[2]]
                self.assertEqual(record["required"], [field for field in fields if fields[field].required])
                told = resolved(record["properties"], schemas)
                self.assertEqual(told, {field: described(fields[field]) for field in fields})
                self.assertIn("This shape is our own.", document["info"]["description"])

    def test_the_invented_replies_and_questions_keep_to_them(self):
        asked = {"soliq": (PINFL, INN), "kadastr": (PARCEL,), "bureau": (PINFL,)}
        for name, contract in SOURCES.items():
            schemas = yaml.safe_load((ROOT / f"docs/api/{name}.yaml").read_text())["components"]["schemas"]
            for identifier in asked[name]:
                with self.subTest(source=name):
                    question = contract.question(identifier)
                    forms = schemas["Question"].get("oneOf", [schemas["Question"]])
                    form = next(form for form in forms if form["required"] == list(question))
                    ((field, pattern),) = ((name, told["pattern"]) for name, told in form["properties"].items())
                    self.assertRegex(question[field], pattern)
                    contract.read(contract.invent(identifier, at()()), identifier, at()())
