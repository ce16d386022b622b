"""Real servers of others on this machine: a mailbox (pymap), an SFTP server (paramiko), each with keys of its own."""

from __future__ import annotations

import datetime
import imaplib
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = "127.0.0.1"
USER, PASSWORD = "inbox@hub.example", "word-of-the-mailbox"


def free_port() -> int:
    """A port nobody listens at."""
    with closing(socket.socket()) as own:
        own.bind((HERE, 0))
        return int(own.getsockname()[1])


def certificate(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """A certificate for this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address(HERE))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, private


# ---- a mailbox -------------------------------------------------------------------------------------


@dataclass
class MailServer:
    """A real IMAP server with one mailbox: `port` begins in the clear (STARTTLS), `tls_port` is TLS from the start."""

    port: int
    tls_port: int
    cert: Path

    def _client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4(HERE, self.port)
        client.starttls(ssl._create_unverified_context())
        client.login(USER, PASSWORD)
        return client

    def put(self, mail: EmailMessage | bytes, folder: str = "INBOX") -> None:
        """A mail that has come."""
        client = self._client()
        word, said = client.append(folder, "", "", mail if isinstance(mail, bytes) else bytes(mail))
        assert word == "OK", said
        client.logout()

    def flags(self, folder: str = "INBOX") -> list[str]:
        """The flags of every mail, in order."""
        client = self._client()
        client.select(folder, readonly=True)
        _word, data = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [
            one.decode().partition("FLAGS (")[2].partition(")")[0].replace("\\Recent", "").strip()
            for one in data
            if one
        ]

    def make_anew(self, folder: str) -> None:
        """The same folder as another one: its mails have other numbers from now on."""
        client = self._client()
        client.delete(folder)
        client.create(folder)
        client.logout()


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """Start it; a process of its own, and a thread that speaks TLS for the second port."""
    cert, key = certificate(folder)
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("pymap")), "--host", HERE, "--port", str(port), "--cert", str(cert), "--key", str(key),
        "dict", "--demo-user", USER, "--demo-password", PASSWORD,
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        with _wrapped(port, cert, key) as tls_port:
            yield MailServer(port, tls_port, cert)
    finally:
        server.terminate()
        server.wait(10)


def _wait(port: int) -> None:
    for _try in range(200):
        with suppress(OSError), socket.create_connection((HERE, port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


@contextmanager
def _wrapped(port: int, cert: Path, key: Path) -> Iterator[int]:
    """A port that takes TLS off and hands the rest on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    door = socket.create_server((HERE, 0))

    def serve() -> None:
        while True:
            try:
                plain, _from = door.accept()
            except OSError:
                return
            threading.Thread(target=_between, args=(context, plain, port), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(door.getsockname()[1])
    finally:
        door.close()


def _between(context: ssl.SSLContext, plain: socket.socket, port: int) -> None:
    with plain, suppress(OSError, ssl.SSLError), ExitStack() as stack:
        near = stack.enter_context(context.wrap_socket(plain, server_side=True))
        far = stack.enter_context(socket.create_connection((HERE, port)))
        back = threading.Thread(target=_hand_on, args=(far, near), daemon=True)
        back.start()
        _hand_on(near, far)
        back.join()


def _hand_on(one: Any, other: Any) -> None:
    with suppress(OSError, ssl.SSLError, ValueError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)


# ---- SFTP ------------------------------------------------------------------------------------------


class _Guard(paramiko.ServerInterface):
    """Lets one user in, by password or key."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def check_auth_password(self, username: str, password: str) -> int:
        return 0 if (username, password) == ("hub", PASSWORD) else 2

    def check_auth_publickey(self, username: str, key: Any) -> int:
        return 0 if username == "hub" and self.key is not None and key == self.key else 2

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return 0 if kind == "session" else 1


class _Disk(paramiko.SFTPServerInterface):
    """A folder as an SFTP server shows it."""

    root = Path()
    is_read_only = False

    def _at(self, path: str) -> str:
        return str(self.root / self.canonicalize(path).lstrip("/"))

    def list_folder(self, path: str) -> Any:
        try:
            return [
                paramiko.SFTPAttributes.from_stat(one.stat(follow_symlinks=False), one.name)
                for one in os.scandir(self._at(path))
            ]
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno)

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(self._at(path)))
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        if self.is_read_only and flags & (os.O_WRONLY | os.O_RDWR):
            return paramiko.SFTP_PERMISSION_DENIED
        try:
            number = os.open(self._at(path), flags, 0o600)
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = os.fdopen(number, "rb" if not flags & os.O_WRONLY else "wb")
        return handle

    def _done(self, act: Any) -> int:
        if self.is_read_only:
            return int(paramiko.SFTP_PERMISSION_DENIED)
        try:
            act()
        except OSError as fault:
            return int(paramiko.SFTPServer.convert_errno(fault.errno))
        return int(paramiko.SFTP_OK)

    def rename(self, oldpath: str, newpath: str) -> int:
        return self._done(lambda: os.rename(self._at(oldpath), self._at(newpath)))

    def mkdir(self, path: str, attr: Any) -> int:
        return self._done(lambda: os.mkdir(self._at(path)))

    def remove(self, path: str) -> int:
        return self._done(lambda: os.remove(self._at(path)))


@dataclass
class FileServer:
    """A real SFTP server over a folder."""

    port: int
    root: Path
    fingerprint: str
    disk: type[_Disk]


@contextmanager
def sftp_server(root: Path, *, user_key: Any = None) -> Iterator[FileServer]:
    """Start it in a thread."""
    host_key: Any = paramiko.ECDSAKey.generate()
    disk = type("Disk", (_Disk,), {"root": root})
    door = socket.create_server((HERE, 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                line, _from = door.accept()
            except OSError:
                return
            transport = paramiko.Transport(line)
            transports.append(transport)
            transport.add_server_key(host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, disk)
            with suppress(paramiko.SSHException, EOFError):
                transport.start_server(server=_Guard(user_key))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield FileServer(int(door.getsockname()[1]), root, f"SHA256:{_digest(host_key)}", disk)
    finally:
        door.close()
        for transport in transports:
            transport.close()


def _digest(key: Any) -> str:
    said: str = key.fingerprint
    return said.removeprefix("SHA256:").rstrip("=")
