"""OpenStack Swift with its S3 API in one process: object, container, account and proxy server, below one folder.

``python swift_server.py FOLDER PORT`` (0 takes a free one; the same folder can be served again): prints one JSON line
when ready, ends with standard input. ``MIN_PART`` is the least size of a part. Imports eventlet: never import it in a
test.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time
import warnings
from typing import Any

from swift.common import utils

utils.monkey_patch()
os.environ["TZ"] = "UTC+0"
time.tzset()

import eventlet  # noqa: E402 - only after the patch
import eventlet.wsgi  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.utils.logs import NullLogger  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

KINDS = ("object", "container", "account")
SWIFT = "[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n"
BACKEND = """[DEFAULT]
swift_dir = {home}
devices = {home}/devices
mount_check = false
disable_fallocate = true
bind_ip = 127.0.0.1
user = {user}
recon_cache_path = {home}/cache
log_address = {home}/no-syslog
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """[DEFAULT]
swift_dir = {home}
bind_ip = 127.0.0.1
user = {user}
log_address = {home}/no-syslog
[pipeline:main]
pipeline = catch_errors proxy-logging s3api tempauth bulk slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:s3api]
use = egg:swift#s3api
dns_compliant_bucket_names = false
min_segment_size = {min_part}
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_agency_recorder = secretkey .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
minimum_segment_size = 1
[filter:dlo]
use = egg:swift#dlo
"""
warnings.filterwarnings("ignore", message="capitalize_response_headers is disabled")


def main() -> None:
    home, port = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    values = {"home": home, "user": os.environ.get("USER", "root"), "min_part": os.environ.get("MIN_PART", "5242880")}
    (home / "devices" / "d1").mkdir(parents=True, exist_ok=True)
    (home / "cache").mkdir(exist_ok=True)
    (home / "swift.conf").write_text(SWIFT)
    sockets = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in KINDS}
    for kind, socket in sockets.items():
        _ring(home, kind, socket.getsockname()[1])
        (home / f"{kind}.conf").write_text(BACKEND.format(kind=kind, **values))
    (home / "proxy.conf").write_text(PROXY.format(**values))
    utils.set_swift_dir(str(home))
    for kind, socket in sockets.items():
        _serve(socket, home / f"{kind}.conf")
    front = eventlet.listen(("127.0.0.1", port))
    _serve(front, home / "proxy.conf")
    print(json.dumps({"ready": True, "url": f"http://127.0.0.1:{front.getsockname()[1]}"}), flush=True)
    eventlet.tpool.execute(sys.stdin.read)


def _ring(home: pathlib.Path, kind: str, port: int) -> None:
    place = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1, "meta": ""}
    builder = RingBuilder(4, 1, 0)
    builder.add_dev(place | {"replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(str(home / f"{kind}.ring.gz"))


def _serve(socket: Any, settings: pathlib.Path) -> None:
    # Without capitals, S3's clients miss "ETag".
    how = {"protocol": SwiftHttpProtocol, "capitalize_response_headers": False}
    eventlet.spawn(eventlet.wsgi.server, socket, loadapp(str(settings)), NullLogger(), **how)


main()
