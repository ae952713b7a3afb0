"""`ehc serve` over TLS, with certificates made here."""

import datetime
import ipaddress
import signal
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace
from services import log_of, settings_of, wait_for

from ehc.cli.serve import _tls, start_service, stop_service
from ehc.config import Settings
from ehc.errors import ConfigError


def write_certificate(folder: Path, name: str) -> None:
    """cert.pem and key.pem, self-made, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_certificate(tmp_path, "first")
    paths = {"tls_certificate": str(tmp_path / "cert.pem"), "tls_key": str(tmp_path / "key.pem")}
    return settings_of(tmp_path / "home", **paths)


def certificate_of(url: str, *, most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> tuple[str, str]:
    """Protocol, and the name in the certificate, of one request that is answered."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = most
    parts = urlsplit(url)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=30) as plain,
        context.wrap_socket(plain) as secured,
    ):
        secured.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert secured.recv(1000).startswith(b"HTTP/1.1 200 ")
        der = secured.getpeercert(binary_form=True)
        name = x509.load_der_x509_certificate(der or b"").subject.rfc4514_string()
        return str(secured.version()), name


def test_tls_1_2_and_1_3_are_spoken_and_a_renewed_certificate_is_taken_up(settings: Settings) -> None:
    process, url = start_service(settings)
    try:
        assert url.startswith("https://127.0.0.1:")
        assert certificate_of(url) == ("TLSv1.3", "CN=first")
        assert certificate_of(url, most=ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", "CN=first")
        write_certificate(Path(settings.tls_certificate).parent, "second")
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the workers are replaced" in log_of(settings))
        assert certificate_of(url) == ("TLSv1.3", "CN=second")
    finally:
        stop_service(process)


def test_older_tls_is_not_spoken(settings: Settings) -> None:
    process, url = start_service(settings)
    try:
        parts = urlsplit(url)
        hello_of_1_1 = bytes.fromhex("160302002f0100002b0302") + bytes(32) + bytes.fromhex("000004c009c00a0100")
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as plain:
            plain.sendall(hello_of_1_1)
            answer = plain.recv(1000)
        assert answer == b"" or answer[0] == 21  # closed, or an alert
    finally:
        stop_service(process)


@pytest.mark.parametrize("broken", ["tls_certificate", "tls_key"])
def test_what_cannot_be_used_is_named_before_anything_is_served(settings: Settings, broken: str) -> None:
    with pytest.raises(ConfigError, match=broken):
        _tls(replace(settings, **{broken: ""}))
    with pytest.raises(ConfigError, match="nowhere"):
        _tls(replace(settings, **{broken: "/nowhere.pem"}))
    Path(getattr(settings, broken)).write_text("no PEM", "ascii")
    with pytest.raises(ConfigError, match="PEM certificate and its key"):
        _tls(settings)


def test_a_key_of_another_certificate_is_refused(settings: Settings) -> None:
    kept = Path(settings.tls_key).read_bytes()
    write_certificate(Path(settings.tls_key).parent, "other")
    Path(settings.tls_key).write_bytes(kept)
    with pytest.raises(ConfigError, match="tls_key"):
        _tls(settings)
