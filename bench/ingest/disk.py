"""python -m bench.ingest.disk FOLDER BYTES COUNT THREADS [--append]: what the disk can do at best.

Writes COUNT new files of BYTES each in THREADS threads: write, fsync, fsync of the folder. With `--append`, one file, and an fdatasync
after each write. Prints one JSON object of the client's shape.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def write_files(folder: Path, size_bytes: int, count: int, threads: int) -> list[float]:
    """Seconds that each file took."""
    content = os.urandom(size_bytes)

    def write(number: int) -> float:
        began_s = time.perf_counter()
        file = os.open(folder / str(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(file, content)
        os.fsync(file)
        os.close(file)
        itself = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(itself)
        os.close(itself)
        return time.perf_counter() - began_s

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(write, range(count)))


def append(folder: Path, size_bytes: int, count: int) -> list[float]:
    """Seconds that each durable write at the end of one file took."""
    content = os.urandom(size_bytes)
    file = os.open(folder / "all", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    taken_s: list[float] = []
    for _ in range(count):
        began_s = time.perf_counter()
        os.write(file, content)
        os.fdatasync(file)
        taken_s.append(time.perf_counter() - began_s)
    os.close(file)
    return taken_s


def main() -> None:
    """Write, and print what it came to."""
    folder, size_bytes, count, threads = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    began_s, cpu_s = time.perf_counter(), time.process_time()
    taken_s = append(folder, size_bytes, count) if "--append" in sys.argv else write_files(folder, size_bytes, count, threads)
    elapsed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    said = {"elapsed_s": elapsed_s, "cpu_share": cpu_s / elapsed_s, "latencies_s": taken_s, "statuses": {"201": count}}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
