"""Every refusal that a form of the workbench can meet is a Sentence: its parts are known, so it can be told."""

import ast
import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.utils.translation import override

from apps.common import errors
from apps.common.errors import DomainError
from apps.common.sentences import Sentence, as_document, of_document
from apps.external_integrations import errors as of_sources
from apps.workbench.refusals import WORDS
from apps.workbench.telling import tell, tell_field

APPS = Path(__file__).parents[2]
# Not reached from the workbench: doors of their own, what an operator's command calls, and what only the API offers.
DOORS = {"api", "management", "migrations", "tests", "demo", "webhooks", "accounts", "learning", "exports"}
ELSEWHERE = {
    "common/commands.py",
    "common/database.py",
    "common/fields.py",
    "common/files.py",
    "common/filters.py",
    "common/languages.py",
    "common/parsers.py",
    "common/roles.py",
    "credit_requests/comparison.py",
    "credit_requests/decision_fairness.py",
    "credit_requests/erasure.py",
    "credit_requests/reports.py",
    "credit_requests/simulation_tables.py",
    "external_integrations/breaker.py",
    "external_integrations/http.py",
    "external_integrations/keeping_fresh.py",
    "external_integrations/quota.py",
    "external_integrations/sources/contract.py",
    "policies/trying.py",
    "portfolio/counting.py",
    "scoring_engine/bulk.py",
    "scoring_engine/retention.py",
}
MESSAGE_OF = {"FieldProblem": 1, "error": 1, "warning": 1, "note": 1, "Problem": 1, "FactError": 2}
FRAGMENTS = {"ExpressionError", "UnitError"}


def subclasses(kind: type) -> set[str]:
    return {kind.__name__}.union(*(subclasses(each) for each in kind.__subclasses__()))


def modules() -> list[Path]:
    found = [path for path in sorted(APPS.rglob("*.py")) if str(path.relative_to(APPS)) not in ELSEWHERE]
    return [path for path in found if not DOORS & set(path.relative_to(APPS).with_suffix("").parts)
            and not path.name.startswith("api")]  # fmt: skip


def messages(tree: ast.AST) -> Iterator[ast.expr]:
    """What each refusal says, as it is written."""
    raised = subclasses(DomainError) | FRAGMENTS
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "of" and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in raised:
            yield from (part for word in node.keywords for part in _parts(word.value))
        elif name in MESSAGE_OF and len(node.args) > MESSAGE_OF[name]:
            yield node.args[MESSAGE_OF[name]]
        elif name in raised and len(node.args) == 1:
            yield node.args[0]  # with problems beside it, only those are shown


def _parts(value: ast.expr) -> list[ast.expr]:
    """Of `**{name: message}` and `**dict.fromkeys(names, message)`, or the message itself."""
    if isinstance(value, ast.Dict):
        return value.values
    if isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "fromkeys":
        return value.args[1:]
    return [value]


def assigned(tree: ast.AST) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def is_plain(message: ast.expr, names: dict[str, list[ast.expr]]) -> bool:
    """Whether it is a text of English words that nobody can translate."""
    if isinstance(message, ast.Name):
        return any(is_plain(value, {}) for value in names.get(message.id, []))
    if isinstance(message, ast.IfExp):
        return is_plain(message.body, names) or is_plain(message.orelse, names)
    if isinstance(message, ast.JoinedStr):
        return True
    return isinstance(message, ast.Constant) and isinstance(message.value, str) and " " in message.value


def test_no_refusal_is_a_text_without_parts():
    plain = {}
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = assigned(tree)
        lines = [message.lineno for message in messages(tree) if is_plain(message, names)]
        if lines:
            plain[str(path.relative_to(APPS))] = lines
    assert plain == {}


def test_what_is_said_elsewhere_is_still_there():
    assert [name for name in sorted(ELSEWHERE) if not (APPS / name).exists()] == []


def test_every_code_has_its_headline_and_its_advice():
    kinds = {each for module in (errors, of_sources) for each in vars(module).values() if isinstance(each, type)}
    assert {each.code for each in kinds if issubclass(each, DomainError)} == set(WORDS)


SAID = Sentence("{given!r} was given; {count:,} of {roles} may, until {day}.", given="x", count=1200,
                roles=("officer", "approver"), day=date(2026, 3, 1))  # fmt: skip


def test_a_sentence_is_its_english_text():
    assert SAID == "'x' was given; 1,200 of officer, approver may, until 2026-03-01."
    assert isinstance(SAID, str)
    assert copy.deepcopy(SAID).values == SAID.values


def test_a_document_gives_the_sentence_again():
    nested = Sentence("{why}; {least} to {most}", why=Sentence("it is missing"), least=1, most=2.5)
    again = of_document(json.loads(json.dumps(as_document(nested))))
    assert isinstance(again, Sentence)
    assert (again, again.template, again.values["why"].template) == (nested, nested.template, "it is missing")
    assert of_document(as_document("abc")) == "abc"


def test_a_day_of_a_document_is_told_as_a_day():
    again = of_document(json.loads(json.dumps(as_document(Sentence("not before {day}", day=date(2026, 3, 1))))))
    assert (again, again.values) == ("not before 2026-03-01", {"day": date(2026, 3, 1)})
    before = {"template": "not before {day}", "values": {"day": "2026-03-01"}}
    assert of_document(before) == "not before 2026-03-01"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The role officer may not withdraw a request; approver, analyst may."),
        ("uz", "«Kredit xodimi» roliga «qaytarib olish» amali ruxsat etilmagan; quyidagilarga ruxsat bor: "
               "Tasdiqlovchi, Xatar tahlilchisi."),
        ("ru", "Роли «Кредитный специалист» не разрешено действие «отозвать»; разрешено: Утверждающий, "
               "Риск-аналитик."),
    ],
)  # fmt: skip
def test_codes_are_named_as_the_page_names_them(language, text):
    template = "The role {role} may not {action} a request; {roles} may."
    with override(language):
        assert tell(Sentence(template, role="officer", action="withdraw", roles=("approver", "analyst"))) == text


def test_numbers_and_days_are_written_as_the_page_writes_them():
    sentence = Sentence("{day} was given; allowed is a day from {oldest} to {latest}.", day=date(2026, 3, 1),
                        oldest=date(2000, 1, 1), latest=date(2026, 12, 31))  # fmt: skip
    with override("ru"):
        assert tell(sentence) == "Указано 1 мар. 2026; допустим день от 1 янв. 2000 до 31 дек. 2026."
        said = tell(Sentence("{value} was given; the product {product} allows {least} to {most}.", value=1,
                             product="p-1", least=1_000_000, most=30_000_000))  # fmt: skip
        assert said.replace("\u00a0", " ") == "Указано 1; продукт p-1 допускает от 1 000 000 до 30 000 000."


def test_a_sentence_of_another_version_is_told_in_english():
    with override("uz"):
        assert tell(SAID) == str(SAID)


def test_what_stands_in_a_frame_is_told():
    with override("uz"):
        assert tell(Sentence("{model}: {error}", model="m-1", error=Sentence("there is no such file"))) == (
            "m-1: bunday fayl yoʻq"
        )


@pytest.mark.parametrize("language", ["en", "uz", "ru"])
def test_an_identifier_is_masked_whatever_it_was_typed_into(language):
    given = Sentence("{value} was given; the product {product} allows {least} to {most}.", value=52802903900012,
                     product="52802903900012", least=1, most=2)  # fmt: skip
    with override(language):
        assert "2802903900012" not in tell(given)
        assert "2 802 903 900" not in tell(given).replace("\u00a0", " ")


def test_a_field_is_called_as_in_the_form_a_fact_as_in_the_letters_and_a_place_as_it_is():
    with override("uz"):
        assert [tell_field(name) for name in ("comment", "yearly_income", "rules[2].when")] == [
            "Sababi", "yillik daromad", "rules[2].when",
        ]  # fmt: skip
