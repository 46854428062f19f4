"""MariaDB in a private folder: Debian's server that speaks MySQL's protocol, where the compose file has MySQL."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.stack.service import Service, program


class Database(Service):
    """MariaDB on a port of 127.0.0.1, with one database and one user who may do everything in it."""

    name = "db"

    def __init__(self, folder: Path, port: int, database: str, user: str, password: str) -> None:
        super().__init__(folder)
        self.port, self.database, self.user, self.password = port, database, user, password

    def prepare(self) -> None:
        self.run(
            program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--user={getpass.getuser()}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        (self.folder / "init.sql").write_text(
            f"CREATE DATABASE IF NOT EXISTS `{self.database}` CHARACTER SET utf8mb4;\n"
            f"CREATE USER IF NOT EXISTS '{self.user}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON `{self.database}`.* TO '{self.user}'@'127.0.0.1';\n"
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{self.password}';\n"
        )

    def commands(self) -> Iterator[list[str]]:
        yield [
            program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--init-file={self.folder / 'init.sql'}",
            f"--user={getpass.getuser()}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--performance-schema=off",
        ]

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            return bool(connection.recv(1))  # the server speaks first, once it has found its tables
