"""What the layout needs: {% load workbench %}."""

from typing import Any

from django import template
from django.conf import settings
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.workbench.formats import language_now
from apps.workbench.layout import THEMES, theme_of
from apps.workbench.navigation import Group, groups_for

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[Group]:
    request = context["request"]
    return groups_for(request.user, request.resolver_match) if request.user.is_authenticated else []


@register.simple_tag(takes_context=True)
def theme(context: RequestContext) -> str:
    return theme_of(context["request"])


@register.simple_tag
def themes() -> tuple[str, ...]:
    return THEMES


@register.simple_tag
def language() -> str:
    return language_now()


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Code and own name of each."""
    return list(settings.LANGUAGES)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of icons.svg. Without a label it is an ornament that readers of screens skip."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"/></svg>', spoken, static("workbench/icons.svg"), name)


@register.inclusion_tag("workbench/parts/badge.html")
def badge(code: str, kind: str) -> dict[str, Any]:
    """A status, outcome or flag as colour, shape and word: {% badge request.status "status" %}."""
    return {"code": code, "kind": kind}


@register.inclusion_tag("workbench/parts/grade.html")
def grade(letter: str) -> dict[str, Any]:
    return {"letter": letter}
