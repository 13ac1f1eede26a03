"""Whether a whole page or a part of one was asked for, and how it is to look."""

from django.http import HttpRequest

PAGE, FRAGMENT = "workbench/page.html", "workbench/fragment.html"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")


def is_htmx(request: HttpRequest) -> bool:
    """Whether a part of a page was asked for. A boosted link and the way back want the whole."""
    headers = request.headers
    whole = "HX-Boosted" in headers or "HX-History-Restore-Request" in headers
    return headers.get("HX-Request") == "true" and not whole


def layout_of(request: HttpRequest) -> str:
    return FRAGMENT if is_htmx(request) else PAGE


def theme_of(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]
