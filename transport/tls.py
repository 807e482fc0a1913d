"""The encrypted line to the receiver: TLS 1.3, the system's certificates or one's own, and optionally one pinned key. Refuses less.

A pin is the SHA-256 of the server's public key as its certificate holds it (SubjectPublicKeyInfo, DER): it outlives the
certificate, and a certificate from anybody else, however trusted, is refused before a byte of a request is sent.
"""

import hashlib
import hmac
import socket
import ssl
from pathlib import Path
from typing import Any

PIN_BYTES = 32


class _Pinned(ssl.SSLContext):
    """A context whose connections exist only if the server has the pinned key. The pin is set by `context` alone."""

    pin: bytes | None = None

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """The encrypted connection, after the handshake. Raises SSLError for another key."""
        wrapped = super().wrap_socket(sock, *args, **kwargs)
        if self.pin is not None and not hmac.compare_digest(pin_of(wrapped.getpeercert(binary_form=True) or b""), self.pin):
            wrapped.close()
            raise ssl.SSLError("the receiver's key is not the pinned one")
        return wrapped


def context(ca_file: Path | None = None, pin: bytes | None = None) -> ssl.SSLContext:
    """How to speak TLS to the receiver.

    Args:
        ca_file: trust these certificates instead of the system's.
        pin: PIN_BYTES; the certificate is verified all the same.
    """
    made = _Pinned(ssl.PROTOCOL_TLS_CLIENT)  # certificate and name are checked
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    if ca_file is None:
        made.load_default_certs()
    else:
        made.load_verify_locations(cafile=str(ca_file))
    made.pin = pin
    return made


def pin_of(certificate: bytes) -> bytes:
    """The pin of the key in a certificate (DER). Raises ValueError if it is none."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = x509.load_der_x509_certificate(certificate).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
