"""What travels: pages and their files compressed, replies of the API and downloads as they are."""

import gzip

import pytest
from django.test import Client

from apps.accounts.tests.factories import make_user
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db
ACCEPTS = {"Accept-Encoding": "gzip"}
FIRST = (
    "tokens.css",
    "workbench.css",
    "workbench.js",
    "icons.svg",
    "vendor/htmx.js",
    "vendor/alpine-csp.js",
    "vendor/pico.css",
)


def test_a_page_is_sent_compressed():
    client = signed_in(make_user("officer"))
    response = client.get("/", headers=ACCEPTS)
    assert response["Content-Encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(response.content)
    assert "Content-Encoding" not in client.get("/").headers


def test_the_files_of_a_page_are_sent_compressed_and_are_small():
    sent = {}
    for name in FIRST:
        response = Client().get(f"/static/workbench/{name}", headers=ACCEPTS)
        assert (response.status_code, response["Content-Encoding"]) == (200, "gzip"), name
        sent[name] = len(b"".join(response))
    assert sum(sent.values()) < 100_000, sent


def test_a_reply_of_the_api_is_sent_as_it_is():
    response = Client().get("/api/schema/", headers=ACCEPTS)
    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers
