"""The HTTP client against a real server: what it asks, and a named error for every way that a source can fail."""

import json
import time
from datetime import timedelta

import httpx
from django.core.cache import cache
from django.test import SimpleTestCase
from django.utils import timezone

from apps.external_integrations import errors
from apps.external_integrations.clients import HttpClient
from apps.external_integrations.http import MOST_REPLY_BYTES, Endpoint
from apps.external_integrations.sources import KADASTR, SOLIQ
from apps.external_integrations.sources.kadastr import KadastrRecord
from apps.external_integrations.sources.soliq import SoliqRecord
from apps.external_integrations.tests.registry import NOBODY, Play, by_contract, document, registry, saying

INN = "123456789"
PINFL = "31210632040244"


def endpoint(url: str, *hosts: str, deadline_seconds: float = 2.0, api_key: str = "") -> Endpoint:
    return Endpoint(url, hosts or ("127.0.0.1",), deadline_seconds, api_key)


class AskingTests(SimpleTestCase):
    def test_the_identifier_travels_in_the_body_and_the_key_in_a_header(self):
        with registry() as server:
            record = HttpClient(SOLIQ, endpoint(server.url, api_key="s3cret")).fetch(INN)
        (path, body, headers) = server.asked[0]
        self.assertIsInstance(record, SoliqRecord)
        self.assertEqual((path, body, headers["X-API-Key"]), ("/v1/taxpayers/lookup", {"inn": INN}, "s3cret"))

    def test_a_person_is_asked_for_by_pinfl_and_has_income_not_revenue(self):
        with registry() as server:
            record = HttpClient(SOLIQ, endpoint(f"{server.url}/registry/")).fetch(PINFL)
        self.assertEqual(server.asked[0][:2], ("/registry/v1/taxpayers/lookup", {"pinfl": PINFL}))
        self.assertEqual(set(record.facts()), {"declared_yearly_income", "tax_debt"})

    def test_a_parcel(self):
        with registry() as server:
            record = HttpClient(KADASTR, endpoint(server.url)).fetch("10:01/A")
        self.assertEqual(server.asked[0][:2], ("/v1/parcels/lookup", {"parcel_id": "10:01/A"}))
        self.assertIsInstance(record, KadastrRecord)
        self.assertEqual(record.facts(), {"property_area": record.area_m2})

    def test_what_the_contract_does_not_have_is_passed_over_but_kept_raw(self):
        text = json.dumps(document(tax_debt=7, zodiac="leo"))
        with registry(saying(text)) as server:
            record = HttpClient(SOLIQ, endpoint(server.url)).fetch(INN)
        self.assertEqual((record.tax_debt, record.raw), (7, text))

    def test_a_record_does_not_print_its_identifier(self):
        with registry() as server:
            record = HttpClient(SOLIQ, endpoint(server.url)).fetch(INN)
        self.assertNotIn(INN, repr(record))

    def test_the_transport_is_an_argument(self):
        async def chunks():
            yield json.dumps(document(tax_debt=3)).encode()

        json_type = {"Content-Type": "application/json"}
        transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=json_type, content=chunks()))
        source = Endpoint("https://registry.example", ("registry.example",), 2.0)
        found = HttpClient(SOLIQ, source, transport=transport, resolve=lambda *_: ["93.184.216.34"]).fetch(INN)
        self.assertEqual(found.tax_debt, 3)


def drip(handler, body):
    """A byte now and then: each one would restart a time-out that counts silence."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def silent(handler, body):
    time.sleep(3)


def cut_short(handler, body):
    handler.answer(b'{"identifier"', Content_Length="5000")
    handler.close_connection = True


def endless(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


def hang_up(handler, body):
    handler.close_connection = True
    handler.connection.close()


class FaultTests(SimpleTestCase):
    def refused(self, play: Play, error: type[Exception], asked: int = 1, deadline_seconds: float = 3.0) -> str:
        cache.clear()  # a source that failed several times would be left alone
        """The sentence of `error`, which the source's reply must raise after `asked` requests."""
        with registry(play) as server:
            with self.assertRaises(error) as caught:
                HttpClient(SOLIQ, endpoint(server.url, deadline_seconds=deadline_seconds)).fetch(INN)
            self.assertEqual(len(server.asked), asked)
        self.assertNotIn(INN, str(caught.exception))
        return str(caught.exception)

    def test_500_is_asked_three_times(self):
        self.assertEqual(self.refused(saying("{}", 500), errors.SourceFailed, asked=3), "The source answered 500.")

    def test_a_source_that_recovers_is_heard(self):
        def second_time(handler, body):
            by_contract(handler, body) if len(handler.server.asked) > 1 else handler.answer("{}", 503)

        with registry(second_time) as server:
            HttpClient(SOLIQ, endpoint(server.url)).fetch(INN)
        self.assertEqual(len(server.asked), 2)

    def test_a_connection_that_breaks_is_tried_again(self):
        self.refused(hang_up, errors.SourceUnreachable, asked=3)

    def test_nobody_there(self):
        with self.assertRaises(errors.SourceUnreachable):
            HttpClient(SOLIQ, endpoint(NOBODY)).fetch(INN)

    def test_a_refusal_is_not_asked_again(self):
        for status in (400, 401, 403, 418, 204):
            with self.subTest(status=status):
                self.refused(saying("", status), errors.SourceRefused)

    def test_a_pause_that_the_source_asks_for_is_kept_to_and_told(self):
        for header, seconds in (("120", 120), ("0", 1), ("86400", 900), ("soon", 60), ("", 60)):
            with self.subTest(header=header), self.assertRaises(errors.SourceBusy) as raised:
                cache.clear()
                with registry(saying("", 429, Retry_After=header)) as server:
                    HttpClient(SOLIQ, endpoint(server.url)).fetch(INN)
            wait = (raised.exception.retry_at - timezone.now()).total_seconds()
            self.assertAlmostEqual(wait, seconds, delta=5)
            with self.assertRaises(errors.SourcePaused):
                HttpClient(SOLIQ, endpoint(NOBODY)).fetch(INN)
            self.assertEqual(len(server.asked), 1)

    def test_the_deadline_bounds_silence_and_dripping(self):
        for play in (silent, drip):
            with self.subTest(play=play.__name__):
                # Played to its end, either would be refused as something else.
                self.refused(play, errors.SourceTimeout, deadline_seconds=0.5)

    def test_the_deadline_bounds_the_retries_too(self):
        def slow_500(handler, body):
            time.sleep(0.4)
            handler.answer("{}", 500)

        self.refused(slow_500, errors.SourceTimeout, asked=2, deadline_seconds=1.05)

    def test_a_body_that_is_too_large_is_left_unread(self):
        self.refused(saying(b" " * (MOST_REPLY_BYTES + 1)), errors.ReplyTooLarge)
        self.refused(endless, errors.ReplyTooLarge)

    def test_what_is_not_json(self):
        whole = json.dumps(document())
        for text in ("", whole[:-5], "<html>", "[" * 100_000, b"\xff\xfe", '{"tax_debt": 1, "tax_debt": 2}'):
            with self.subTest(text=text[:20]):
                self.refused(saying(text), errors.ReplyMalformed)
        self.refused(saying(whole, Content_Type="text/html"), errors.ReplyMalformed)
        self.refused(saying(whole, Content_Encoding="gzip"), errors.ReplyMalformed)

    def test_a_body_that_is_cut_short(self):
        self.refused(cut_short, errors.SourceUnreachable, asked=3)

    def test_numbers_that_are_none(self):
        for number in ("NaN", "Infinity", "-Infinity", "1e400", "1" * 400):
            text = json.dumps(document(tax_debt=0)).replace('"tax_debt": 0', f'"tax_debt": {number}')
            with self.subTest(number=number[:10]):
                self.refused(saying(text), errors.ReplyMalformed)

    def test_wrong_types_and_bounds_name_the_field_but_not_the_value(self):
        ahead = (timezone.now() + timedelta(days=3)).isoformat()
        wrong = {
            "tax_debt": ["77777", 1.5, True, -1, None, 10**16, [], {}],
            "declared_revenue": ["1", -1],
            "currency": ["XXX", 7, None, {}],
            "observed_at": ["yesterday", "2026-01-01T00:00:00", "1890-01-01T00:00:00Z", ahead, 7, None],
            "identifier": [123456789, None, "1" * 15],
        }
        for name, values in wrong.items():
            for value in values:
                with self.subTest(name=name, value=value):
                    said = self.refused(saying(json.dumps(document(**{name: value}))), errors.ReplyNotAsAgreed)
                    self.assertEqual(said, f"The source sent a reply that breaks its contract in: {name}.")

    def test_a_field_that_is_missing_and_documents_that_are_no_objects(self):
        some = document()
        del some["taxes_paid"]
        self.assertIn("taxes_paid", self.refused(saying(json.dumps(some)), errors.ReplyNotAsAgreed))
        for text in ("[]", "null", "7", '"text"'):
            with self.subTest(text=text):
                self.refused(saying(text), errors.ReplyNotAsAgreed)

    def test_the_record_of_somebody_else(self):
        self.refused(saying(json.dumps(document(identifier="987654321"))), errors.ReplyNotAsAgreed)

    def test_a_redirect_is_not_followed(self):
        with registry() as elsewhere:
            for status in (301, 302, 303, 307, 308):
                with self.subTest(status=status):
                    self.refused(saying("", status, Location=elsewhere.url), errors.RedirectRefused)
        self.assertEqual(elsewhere.asked, [])

    def test_unknown_is_an_answer_but_any_other_404_is_a_fault(self):
        self.refused(saying('{"code": "unknown-identifier"}', 404), errors.UnknownToSource)
        for text in ("{}", "[]", "no such page", '{"code": "no-route"}'):
            with self.subTest(text=text):
                self.refused(saying(text, 404), errors.SourceRefused)


class AddressTests(SimpleTestCase):
    def test_only_allowed_hosts_over_tls_or_loopback(self):
        refused = [
            ("", ("127.0.0.1",)),
            ("http://", ("127.0.0.1",)),
            ("http://127.0.0.1:1", ("registry.example",)),
            ("http://registry.example", ("registry.example",)),
            ("ftp://registry.example", ("registry.example",)),
            ("https://registry.example.evil.example", ("registry.example",)),
            ("https://evil.example", ()),
            ("https://registry.example@evil.example", ("registry.example",)),
            ("https://user:pw@registry.example", ("registry.example",)),
            ("https://registry.example?x=", ("registry.example",)),
            ("https://registry.example:8443", ("registry.example:443",)),
            ("http://[::ffff:127.0.0.1]", ("127.0.0.1",)),
            ("http://2130706433", ("127.0.0.1",)),
            ("http://169.254.169.254", ("127.0.0.1",)),
            ("https://[broken", ("[broken",)),
        ]
        for url, hosts in refused:
            with self.subTest(url=url), self.assertRaises(errors.HostNotAllowed):
                Endpoint(url, hosts, 1.0).url("/v1")

    def test_allowed_addresses(self):
        allowed = {
            "https://registry.example": ("registry.example", "https://registry.example/v1"),
            "https://registry.example:8443/a/": ("registry.example:8443", "https://registry.example:8443/a/v1"),
            "http://localhost:8099": ("localhost", "http://localhost:8099/v1"),
        }
        for url, (host, expected) in allowed.items():
            with self.subTest(url=url):
                self.assertEqual(str(Endpoint(url, (host,), 1.0).url("/v1")), expected)

    def test_a_host_that_is_not_allowed_is_never_connected_to(self):
        with registry() as server, self.assertRaises(errors.HostNotAllowed):
            HttpClient(SOLIQ, endpoint(server.url, "registry.example")).fetch(INN)
        self.assertEqual(server.asked, [])
