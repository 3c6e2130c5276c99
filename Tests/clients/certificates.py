"""Certificates that sign themselves."""

import datetime
import ipaddress
import pathlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Identity:
    certificate: str
    key: str


def make_certificate(folder, days=30, passphrase=None, names=()):
    """For localhost, 127.0.0.1 and further names, in PEM files of the folder. With `days` below zero it has run out."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60)).not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([
                *(x509.DNSName(name) for name in ("localhost", *names)), x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            ]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    identity = Identity(str(folder / "cert.pem"), str(folder / "key.pem"))
    pathlib.Path(identity.certificate).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path = pathlib.Path(identity.key)
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    return identity
