"""A certificate authority of a test, and a registry that is reached by its certificates."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.external_integrations.tests.registry import Play, Registry, by_contract, registry

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()


@dataclass(frozen=True)
class Authority:
    """`ca_file`: its own certificate; it writes others beside it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def issue(self, name: str, encryption: serialization.KeySerializationEncryption = PLAIN) -> tuple[str, str]:
        """Paths of a certificate for this host, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _builder(name, self.certificate.subject, key.public_key())
        signed = signed.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(signed.sign(self.key, hashes.SHA256()).public_bytes(PEM))
        paths[1].write_bytes(key.private_bytes(PEM, PKCS8, encryption))
        return str(paths[0]), str(paths[1])


def make_authority(folder: Path) -> Authority:
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The lender's own")])
    builder = _builder("The lender's own", name, key.public_key())
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )
    (folder / "ca.pem").write_bytes(signed.public_bytes(PEM))
    return Authority(folder, key, signed)


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))


@contextmanager
def tls_registry(
    cert: tuple[str, str], *, believing: str = "", play: Play = by_contract
) -> Iterator[tuple[Registry, list[str]]]:
    """A registry over TLS, and the names that callers asked for in it. `believing`: a CA file; callers must then show a
    certificate of that authority.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*cert)
    if believing:
        context.load_verify_locations(believing)
        context.verify_mode = ssl.CERT_REQUIRED
    names: list[str] = []
    context.sni_callback = lambda connection, name, _: names.append(name)
    with registry(play) as server:
        # The handshake belongs to the thread that answers, not to the one that accepts.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        yield server, names
