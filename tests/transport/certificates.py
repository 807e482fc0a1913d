"""Certificates for tests: an authority, and servers' certificates for 127.0.0.1 that it signs."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates; whoever has `ca_file` trusts them."""

    def __init__(self, folder: Path, name: str = "an authority") -> None:
        self._folder, self._name, self._count = folder, _named(name), 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca_file = folder / f"{name.replace(' ', '-')}.pem"
        certificate = _certificate(self._name, self._key.public_key(), self._name, self._key, authority=True)
        self.ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def server(self) -> tuple[Path, bytes]:
        """A new server's file with key and certificate, and its certificate's DER bytes."""
        self._count += 1
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(_named("127.0.0.1"), key.public_key(), self._name, self._key, authority=False)
        path = self._folder / f"{self.ca_file.stem}-{self._count}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        return path, certificate.public_bytes(Encoding.DER)


def server_context(pem: Path, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """How a test's server speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.maximum_version = newest
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False)
    if not authority:
        name = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(name, critical=False)
    else:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())
