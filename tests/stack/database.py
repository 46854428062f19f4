"""MariaDB in a private folder: Debian's server that speaks MySQL's protocol, where the compose file has MySQL."""

import getpass
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.stack.compose import container
from tests.stack.service import Service, program


class Database(Service):
    """MariaDB on a port of 127.0.0.1, with the flags, the database and the user that the compose file gives MySQL."""

    name = "db"

    def __init__(self, folder: Path, port: int, variables: Mapping[str, str]) -> None:
        super().__init__(folder)
        described = container("db", variables, {})
        self.port, self.flags = port, described.command
        self.user, self.password, self.database = (
            described.environment[f"MYSQL_{name}"] for name in ("USER", "PASSWORD", "DATABASE")
        )

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
            f"CREATE DATABASE IF NOT EXISTS `{self.database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
            f"CREATE USER IF NOT EXISTS '{self.user}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON `{self.database}`.* TO '{self.user}'@'127.0.0.1';\n"
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{self.password}';\n"
        )
        client = f"[client]\nhost=127.0.0.1\nport={self.port}\nuser={self.user}\npassword={self.password}\n"
        self.client_options.touch(mode=0o600)
        self.client_options.write_text(client)

    @property
    def client_options(self) -> Path:
        """What the MySQL client programs take as --defaults-extra-file."""
        return self.folder / "client.cnf"

    def sql(self, statement: str) -> str:
        """What the database answers, a line a row."""
        return self.run(
            program("mariadb"), f"--defaults-extra-file={self.client_options}", "-NBe", statement, self.database
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
            *self.flags,
        ]

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            return bool(connection.recv(1))  # the server speaks first, once it has found its tables
