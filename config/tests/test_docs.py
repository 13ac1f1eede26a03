"""The page of the API: open to all, and within the content security policy."""

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_page_runs_no_inline_script():
    response = Client().get("/api/docs/")
    page = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "style-src 'self' 'unsafe-inline'" in response["Content-Security-Policy"]
    assert "unsafe" not in Client().get("/healthz")["Content-Security-Policy"]


def test_all_that_the_page_loads_is_served_here():
    page = Client().get("/api/docs/").content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/")
        assert Client().get(address).status_code == 200, address
