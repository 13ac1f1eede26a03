"""A body without a length is refused; it is never taken for an empty one."""

import http.client
import socket

import pytest
from django.test import Client, LiveServerTestCase

from apps.common.tests.committed import CommittedTestCase

CHUNKED = (
    b"POST /api/score/individual/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'18\r\n{"yearly_income": 50000}\r\n0\r\n\r\n'
)


class ChunkedBodyTests(CommittedTestCase, LiveServerTestCase):
    def test_a_body_in_chunks_is_411_over_a_real_connection(self):
        address = (self.server_thread.host, self.server_thread.port)
        with socket.create_connection(address, timeout=10) as connection:
            # In one piece: the reply comes before the body is read, and would cut a slower sender off.
            connection.sendall(CHUNKED)
            reply = http.client.HTTPResponse(connection)
            reply.begin()
            assert (reply.status, reply.headers["Content-Type"]) == (411, "application/problem+json")
            assert b"urn:credit-ml:problem:length-required" in reply.read()


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
