"""The server as a process: what it prints, TLS, how fast it answers, how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.server import start_server
from tests.support.server_api import Seat, note_op

SignIn = Callable[..., Seat]


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "server.pem", folder / "server.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path


def test_it_serves_tls_with_its_own_certificate(private_data: Path, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    env = {"COLLECTION_TLS_CERTIFICATE": str(certificate), "COLLECTION_TLS_KEY": str(key)}
    server = start_server(private_data, data_dir=private_data, env=env)
    try:
        assert server.url.startswith("https://127.0.0.1:")
        url = f"https://localhost:{server.port}/v1/health"
        assert requests.get(url, verify=str(certificate), timeout=5).json()["ok"] is True
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=5)
    finally:
        server.stop()


def test_it_ends_when_told_and_the_data_is_whole(private_data: Path) -> None:
    server = start_server(private_data, data_dir=private_data)
    seat = Seat(server.url, "liting")
    operation = note_op(seat.user_id, seat.case(0)["id"])
    assert seat.operate(operation)[0]["status"] == "done"
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 5
    again = start_server(private_data, data_dir=private_data)
    try:
        seat.url = again.url
        assert seat.operate(operation)[0]["status"] == "repeated"
    finally:
        again.stop()


def test_what_the_seat_has_lives_on_after_a_kill(private_data: Path) -> None:
    server = start_server(private_data, data_dir=private_data)
    seat = Seat(server.url, "liting")
    operation = note_op(seat.user_id, seat.case(0)["id"])
    assert seat.operate(operation)[0]["status"] == "done"
    server.stop(kill=True)
    again = start_server(private_data, data_dir=private_data)
    try:
        seat.url = again.url
        assert seat.operate(operation)[0]["status"] == "repeated"
        assert operation["data"]["id"] in {change["id"] for change in seat.sync_all()[0]}
    finally:
        again.stop()
