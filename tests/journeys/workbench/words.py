"""What a page calls things in a language, from the catalogues: tests look for elements by their words."""

from django.utils.translation import gettext, override

from apps.workbench.labels import LABELS


def said(text: str, language: str) -> str:
    with override(language):
        return gettext(text)


def called(kind: str, code: str, language: str) -> str:
    with override(language):
        return str(LABELS[kind][code])
