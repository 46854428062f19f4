"""What memory and time `profile` takes for tables of 10^5 to 10^7 short rows: on disk, in parts, in an S3 store.

The store is moto's, in a process of its own on 127.0.0.1, which holds the objects in its memory: what is measured is
the peak of the process of `profile` alone.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tables import show

ROOT = Path(__file__).resolve().parent.parent
ROWS = (10**5, 10**6, 10**7)
PARTS, PARTS_UP_TO = 4, 10**6  # files of a table that has many, and its rows at the most
GROUP = 100_000  # rows that are written at a time
WORDS = "oil prices team season minister talks orbit market goal party shares coach vote race"
CREDENTIALS = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "benchmark")


def written(path: Path, rows: int, first: int = 0) -> None:
    """A Parquet table of `rows` made-up texts of five words, in one file."""
    schema = pa.schema({"text": pa.string(), "label": pa.int8()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(first, first + rows, GROUP):
            count = min(GROUP, first + rows - start)
            random = np.random.default_rng(start)
            words = random.choice(WORDS.split(), (count, 5))
            texts = [f"{' '.join(row)} {start + place}" for place, row in enumerate(words.tolist())]
            writer.write_table(pa.table({"text": texts, "label": random.integers(0, 4, count)}, schema))


@contextmanager
def store() -> Iterator[str]:
    """The URL of a store in a process of its own, with a bucket `rows`."""
    import boto3

    logging.getLogger("botocore").setLevel(logging.ERROR)
    code = (
        "from moto.server import ThreadedMotoServer as S\n"
        "s = S(ip_address='127.0.0.1', port=0, verbose=False); s.start()\n"
        "print('http://%s:%s' % s.get_host_and_port(), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        os.environ |= CREDENTIALS
        boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="rows")
        yield url
        process.terminate()


def profiled(dataset: str, folder: Path, endpoint: str = "") -> tuple[float, float]:
    """(seconds, peak memory in MiB) of the command."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'runs.db'}"}
    environment |= {"MLFLOW_S3_ENDPOINT_URL": endpoint} if endpoint else {}
    command = [sys.executable, "-m", "entrypoints.profile", f"--dataset={dataset}", f"--output_dir={folder / 'out'}"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    metrics = json.loads((folder / "out" / "result.json").read_text())["metrics"]
    return metrics["seconds/total"], metrics["peak_memory_bytes"] / 2**20


def main(sizes: Sequence[int] = ROWS) -> None:
    import boto3

    lines = []
    with store() as url, tempfile.TemporaryDirectory() as temporary:
        folder, client = Path(temporary), boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        for rows in sizes:
            parts = folder / str(rows)
            parts.mkdir()
            for number in range(PARTS):
                written(parts / f"part-{number}.parquet", rows // PARTS, number * rows // PARTS)
                path = str(parts / f"part-{number}.parquet")
                client.upload_file(path, "rows", f"{rows}/part-{number}.parquet")
            written(folder / "one.parquet", rows)
            client.upload_file(str(folder / "one.parquet"), "rows", f"{rows}.parquet")
            size = f"{(folder / 'one.parquet').stat().st_size / 2**20:,.0f}"
            cases = {
                "a file": (str(folder / "one.parquet"), ""),
                f"a folder of {PARTS}": (str(parts), ""),
                "an object in S3": (f"s3://rows/{rows}.parquet", url),
                f"an S3 prefix of {PARTS}": (f"s3://rows/{rows}/", url),
            }
            for case, (dataset, endpoint) in cases.items():
                if dataset.endswith(("/", str(parts))) and rows > PARTS_UP_TO:
                    continue
                seconds, peak = profiled(dataset, folder, endpoint)
                lines.append([case, f"{rows:,}", size, f"{seconds:,.0f}", f"{peak:,.0f}"])
                print(lines[-1], file=sys.stderr, flush=True)
    header = ["table", "rows", "MiB of Parquet", "seconds", "peak memory, MiB"]
    show(f"profile of short rows, {os.cpu_count()} cores", header, sorted(lines, key=lambda line: line[0]))
