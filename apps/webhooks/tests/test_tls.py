"""The connection goes to the address that was looked at, and TLS still checks the name: against a real TLS server."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.common import outgoing
from apps.webhooks.models import DECIDED
from apps.webhooks.services import create_endpoint
from apps.webhooks.tests.factories import NOW, deliver, publish
from apps.webhooks.tests.receiver import Receiver, receiver

pytestmark = pytest.mark.django_db
NAME = "hooks.example"


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """Of NAME, signed by itself and trusted by our clients: the path of a file with its key and itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = tmp_path / "certificate.pem"
    file.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()) + signed.public_bytes(pem))
    monkeypatch.setattr(outgoing, "tls_context", lambda certificates: ssl.create_default_context(cafile=str(file)))
    return str(file)


def over_tls(server: Receiver, file: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)


@pytest.mark.parametrize(("name", "result"), [(NAME, "delivered"), ("other.example", "failed")])
def test_a_certificate_of_another_name_is_refused(settings, certificate, name, result):
    with receiver() as server:
        over_tls(server, certificate)
        settings.WEBHOOK_PRIVATE_HOSTS = [name]
        url = f"https://{name}:{server.server_port}/hook"
        endpoint, _ = create_endpoint(url=url, description="", events=[DECIDED], actor=None, now=NOW)
        delivery = publish().deliveries.get()
        counts = deliver(endpoint, resolve=lambda host, port: ["127.0.0.1"])
    delivery.refresh_from_db()
    assert counts[result] == 1
    assert delivery.last_error == ("" if result == "delivered" else "unreachable")
    assert [came.headers["host"] for came in server.received] == (
        [f"{NAME}:{server.server_port}"] if result == "delivered" else []
    )
