"""A body without a length is refused; it is never taken for an empty one."""

import http.client
from collections.abc import Iterator

import pytest
from django.test import Client, LiveServerTestCase

from apps.common.tests.committed import CommittedTestCase


class ChunkedBodyTests(CommittedTestCase, LiveServerTestCase):
    def test_a_body_in_chunks_is_411_over_a_real_connection(self):
        def body() -> Iterator[bytes]:
            yield b'{"yearly_income": '
            yield b"50000}"

        connection = http.client.HTTPConnection(self.server_thread.host, self.server_thread.port, timeout=10)
        json_type = {"Content-Type": "application/json"}
        connection.request("POST", "/api/score/individual/", body(), json_type, encode_chunked=True)
        reply = connection.getresponse()
        assert (reply.status, reply.headers["Content-Type"]) == (411, "application/problem+json")
        assert b"urn:credit-ml:problem:length-required" in reply.read()
        connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("length", ["-5", "abc", "1.5", "٣", "5, 5"])
def test_a_length_that_is_none_is_400(length):
    client = Client(raise_request_exception=False)
    reply = client.generic("POST", "/api/auth/login/", b"{}", "application/json", CONTENT_LENGTH=length)
    assert (reply.status_code, reply["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.django_db
def test_no_body_needs_no_length():
    assert Client().get("/healthz").status_code == 200
    assert Client().post("/api/auth/logout/").status_code == 401
