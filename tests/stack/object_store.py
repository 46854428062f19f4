"""OpenStack Swift with its S3 interface: a real object store, which checks signatures, on one folder.

It stands where the compose file has MinIO. All of Swift's services run, each in one process. Settings:
https://docs.openstack.org/swift/latest/config/ and https://docs.openstack.org/swift/latest/middleware.html#module-swift.common.middleware.s3api.s3api
"""

import getpass
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.stack.compose import INFRA, container
from tests.stack.service import Service

ROOT = Path(__file__).resolve().parents[2]
SWIFT = ROOT / ".venv-stack" / "bin"

MIDDLEWARE = "catch_errors gatekeeper healthcheck listing_formats s3api tempauth copy slo dlo versioned_writes symlink"
COMMON = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
disable_fallocate = true
log_level = WARNING
"""
STORAGE = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
FILTERS = """
[pipeline:main]
pipeline = {middleware} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = {region}
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""
RINGS = """
import sys
from swift.common.ring import RingBuilder
for kind, port in zip(("account", "container", "object"), map(int, sys.argv[1:])):
    ring = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    ring.add_dev(dict(region=1, zone=1, weight=1, ip="127.0.0.1", port=port, device="disk", meta=""))
    ring.rebalance()
    ring.get_ring().save(f"{kind}.ring.gz")
"""


class ObjectStore(Service):
    """Swift on four ports: proxy, account, container, object. The S3 key id is `account:user`."""

    name = "s3"

    def __init__(self, folder: Path, ports: list[int], variables: Mapping[str, str]) -> None:
        self.ports = dict(zip(("proxy", "account", "container", "object"), ports, strict=True))
        self.endpoint = f"http://127.0.0.1:{self.ports['proxy']}"
        # What the other services know of the store: endpoint, key, region, bucket.
        self.client_environment = container("bucket", variables, {"http://minio:9000": self.endpoint}).environment
        super().__init__(folder, self.client_environment)

    def prepare(self) -> None:
        (self.folder / "devices" / "disk").mkdir(parents=True)
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = newsclf\n")
        for kind, port in self.ports.items():
            settings = COMMON.format(port=port, user=getpass.getuser(), folder=self.folder)
            settings += self._proxy() if kind == "proxy" else STORAGE.format(kind=kind)
            (self.folder / f"{kind}.conf").write_text(settings)
        storage = [str(self.ports[kind]) for kind in ("account", "container", "object")]
        self.run(SWIFT / "python", "-c", RINGS, *storage)

    def commands(self) -> Iterator[list[str]]:
        for kind in self.ports:
            yield [str(SWIFT / f"swift-{kind}-server"), str(self.folder / f"{kind}.conf"), "-v"]

    def answers(self) -> bool:
        for port in self.ports.values():
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=2).close()
            except urllib.error.HTTPError:
                continue  # a storage server: it has no such page, and says so
        return True

    def make_bucket(self) -> None:
        """What the compose file's service `bucket` does."""
        self.run(sys.executable, INFRA / "bucket" / "bucket.py")

    def _proxy(self) -> str:
        known = self.client_environment
        account, _, user = known["AWS_ACCESS_KEY_ID"].partition(":")
        secret, region = known["AWS_SECRET_ACCESS_KEY"], known["AWS_DEFAULT_REGION"]
        made = FILTERS.format(middleware=MIDDLEWARE, region=region, account=account, user=user, secret=secret)
        plain = [name for name in MIDDLEWARE.split() if f"[filter:{name}]" not in made]
        return made + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in plain)
