"""A server that cannot be used any more: a certificate that has expired, a login that ends while a run is made."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mlflow.server.auth.client import AuthServiceClient

from tests.stack.client import Client

pytestmark = pytest.mark.integration


@pytest.fixture
def expired(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """(URL of a server whose certificate ended yesterday, the file of that certificate, which is trusted)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=9))
        .not_valid_after(today - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = tmp_path / "ca.pem", tmp_path / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.server_port}", trusted
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_that_has_expired(expired, tiny_encoder, tmp_path):
    uri, trusted = expired
    user = Client(tmp_path / "user", {"MLFLOW_TRACKING_URI": uri, "MLFLOW_TRACKING_SERVER_CERT_PATH": str(trusted)})
    code, said = user.run("train", encoder=tiny_encoder, epochs=1)
    assert code == 2, said
    (line,) = said.strip().splitlines()
    assert line.startswith(f"train: tracking server {uri}: its certificate is not accepted (certificate has expired)")
    assert user.journals() == []


def test_a_login_that_ends_while_a_run_is_made(stack, on_stack, tiny_encoder, tmp_path):
    login, user_id = AuthServiceClient(stack.uri), "passing"
    login.create_user(user_id, "first-password-of-this-user")
    login.grant_user_permission(user_id, "experiment", "0", "EDIT")
    user = Client(tmp_path / "user", stack.environment(user_id, "first-password-of-this-user"))
    process = user.start("train", encoder=tiny_encoder, num_samples=60, epochs=6, send_timeout=5)
    process.await_line("epoch 2/")
    login.update_user_password(user_id, "second-password-of-this-user")
    assert process.wait() == 0, process.said
    assert "epoch 6/6" in process.said
    waiting = [line for line in process.said.splitlines() if "wait in" in line]
    assert len(waiting) == 1, process.said
    assert "it refuses the login (401): set MLFLOW_TRACKING_USERNAME" in waiting[0]
    code, said = user.run("sync")
    assert (code, "refuses the login (401)" in said.splitlines()[-1]) == (2, True), said
    user.environment |= stack.environment(user_id, "second-password-of-this-user")
    code, said = user.run("sync")
    assert code == 0, said
    assert user.journals() == []
    run = on_stack.get_run(process.run_id)
    assert (run.info.status, run.data.metrics["epochs_run"]) == ("FINISHED", 6)
