"""Whom we believe and what we show: a lender's own authority and mTLS, against a real TLS server."""

import copy
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from django.core.checks import run_checks

from apps.common.outgoing import tls_context
from apps.external_integrations import errors
from apps.external_integrations.clients import HttpClient
from apps.external_integrations.http import Endpoint
from apps.external_integrations.sources import SOLIQ
from apps.external_integrations.tests.authority import make_authority, tls_registry

NAME, INN = "registry.example", "123456789"


@pytest.fixture
def ours(tmp_path):
    return make_authority(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path):
    return make_authority(tmp_path / "theirs")


def fetch(server, *, name=NAME, **files):
    endpoint = Endpoint(f"https://{name}:{server.server_port}", (), 3.0, "s3cret", private_hosts=(name,), **files)
    return HttpClient(SOLIQ, endpoint, resolve=lambda *_: ["127.0.0.1"]).fetch(INN)


def test_the_lenders_own_authority_is_believed_and_the_name_is_what_is_asked_for(ours):
    with tls_registry(ours.issue(NAME)) as (server, names):
        assert fetch(server, ca_file=ours.ca_file).identifier == INN
    ((_, _, headers),) = server.asked
    assert headers["Host"] == f"{NAME}:{server.server_port}"
    assert names == [NAME]


def test_nobody_else_is_believed(ours, theirs):
    with tls_registry(theirs.issue(NAME)) as (server, _):
        for files in ({}, {"ca_file": ours.ca_file}):
            with pytest.raises(errors.SourceUnreachable):
                fetch(server, **files)
    assert server.asked == []


def test_a_certificate_of_another_name_is_refused(ours):
    with tls_registry(ours.issue("elsewhere.example")) as (server, _), pytest.raises(errors.SourceUnreachable):
        fetch(server, ca_file=ours.ca_file)
    assert server.asked == []


def test_a_source_that_wants_our_certificate_gets_it(ours, theirs):
    cert, key = theirs.issue("lender.example")
    with tls_registry(ours.issue(NAME), believing=theirs.ca_file) as (server, _):
        assert fetch(server, ca_file=ours.ca_file, client_cert=cert, client_key=key).identifier == INN
        both = theirs.folder / "both.pem"
        both.write_text(Path(key).read_text() + Path(cert).read_text())
        assert fetch(server, ca_file=ours.ca_file, client_cert=str(both)).identifier == INN
    assert len(server.asked) == 2


def test_without_it_or_with_one_of_somebody_else_nothing_is_told(ours, theirs):
    cert, key = ours.issue("lender.example")
    with tls_registry(ours.issue(NAME), believing=theirs.ca_file) as (server, _):
        for files in ({}, {"client_cert": cert, "client_key": key}):
            with pytest.raises(errors.SourceUnreachable):
                fetch(server, ca_file=ours.ca_file, **files)
    assert server.asked == []


# --- Files that cannot be used ----------------------------------------------------------------------------------


@pytest.fixture
def files(ours, tmp_path):
    cert, key = ours.issue("lender.example")
    _, locked = ours.issue("locked.example", BestAvailableEncryption(b"a passphrase"))
    (tmp_path / "garbage.pem").write_text("no certificate")
    (tmp_path / "empty.pem").write_text("")
    return {
        "cert": cert, "key": key, "locked": locked, "ca": ours.ca_file, "missing": str(tmp_path / "missing.pem"),
        "garbage": str(tmp_path / "garbage.pem"), "empty": str(tmp_path / "empty.pem"), "folder": str(tmp_path),
    }  # fmt: skip


UNUSABLE = [
    ({"ca_file": "missing"}, "The CA file cannot be used: No such file or directory."),
    ({"ca_file": "garbage"}, "The CA file cannot be used:"),
    ({"ca_file": "empty"}, "The CA file cannot be used:"),
    ({"ca_file": "folder"}, "The CA file cannot be used:"),
    ({"client_cert": "missing", "client_key": "key"}, "The client certificate and key cannot be used: No such file"),
    ({"client_cert": "cert", "client_key": "missing"}, "The client certificate and key cannot be used: No such file"),
    ({"client_cert": "garbage", "client_key": "key"}, "The client certificate and key cannot be used:"),
    ({"client_cert": "cert", "client_key": "locked"}, "The client certificate and key cannot be used:"),
    ({"client_cert": "cert"}, "The client certificate and key cannot be used:"),
    ({"client_cert": "ca", "client_key": "key"}, "The client certificate and key cannot be used:"),
    ({"client_key": "key"}, "A client key is set, but no client certificate."),
]


@pytest.mark.parametrize(("named", "sentence"), UNUSABLE)
def test_files_that_cannot_be_used_are_said_so_at_start(settings, files, tmp_path, named, sentence):
    chosen = {"client": "http", "base_url": f"https://{NAME}", "allowed_hosts": [NAME]}
    sources = copy.deepcopy(settings.EXTERNAL_SOURCES)
    sources["soliq"] |= chosen | {name: files[file] for name, file in named.items()}
    settings.EXTERNAL_SOURCES = sources
    (found,) = [check for check in run_checks() if check.id == "external_integrations.E001"]
    assert found.msg.startswith(sentence)
    assert "SOLIQ_" in found.hint
    assert str(tmp_path) not in found.msg


@pytest.mark.parametrize(("named", "sentence"), UNUSABLE)
def test_and_nothing_is_asked_with_them(files, named, sentence):
    endpoint = Endpoint(f"https://{NAME}", (NAME,), 3.0, **{name: files[file] for name, file in named.items()})
    looked_up = []
    with pytest.raises(errors.CredentialsUnusable) as refusal:
        HttpClient(SOLIQ, endpoint, resolve=lambda *asked: looked_up.append(asked) or []).fetch(INN)
    assert str(refusal.value).startswith(sentence)
    assert looked_up == []


@pytest.mark.parametrize("key", ["s3cret\n", "s3cret\r\nHost: evil.example", "кaлит", "a\x00b"])
def test_an_api_key_that_no_header_can_hold_is_said_so(key):
    endpoint = Endpoint(f"https://{NAME}", (NAME,), 3.0, key)
    with pytest.raises(errors.CredentialsUnusable, match="API key"):
        endpoint.check()


def test_contexts_are_made_once_for_the_same_files(ours):
    cert, key = ours.issue("lender.example")
    made = [Endpoint("https://a", ("a",), 1.0, ca_file=ours.ca_file, client_cert=cert, client_key=key) for _ in "ab"]
    first, second = (tls_context(endpoint.load_certificates()) for endpoint in made)
    other = tls_context(Endpoint("https://a", ("a",), 1.0, ca_file=ours.ca_file).load_certificates())
    assert first is second
    assert other is not first
