#!/usr/bin/env python3
"""measure.py FOLDER SET ROUNDS RESULTS: times node-migrate beside `cp` and the plain copy loops on one generated home, and conversions
beside the plain copy of the same home to the same engine.

Every competitor gets a fresh home (tables are hard links, all else copies), a cold cache and one turn in each round, so that a drift of
the machine hits all alike. Only ratios within one run mean anything. RESULTS gets a JSON line for each turn; the table goes to standard
output. Reads NODE_MIGRATE and PROGRAMS (the folder of the plain loops) from the environment."""

import json
import os
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tool import Tool, last_document

DATABASES = ["application", "blockstore", "state", "tx_index", "evidence"]
ENGINES = {"pebble": "pebbledb", "rocksdb": "rocksdb"}
# What a home of the generator, which has layout v1 and dialect v0_38, becomes; and what a converted one becomes.
CONVERSIONS = {"v0_38 to v1_0": ",dialect=v1_0", "v0_38 to v1_0, layout v1 to v2": ",layout=v2,dialect=v1_0"}
CONVERSIONS_BACK = {"layout v2 to v1": ",layout=v1", "v1_0 to v0_38, layout v2 to v1": ",layout=v1,dialect=v0_38"}
PLAIN, PLAIN_CONVERTED = "node-migrate to pebble, copy alone", "copy of the converted home"
WHOLE = ", every check, cut over"
# The row that a whole migration gives besides its own: the wall time until this phase has ended.
LAYERS_1_2, LAYERS_1_2_END = ", copy and layers 1-2", "verify: counts and digests"
TOOL = os.environ["NODE_MIGRATE"]
PROGRAMS = Path(os.environ["PROGRAMS"])


def shell(*commands):
    return " && ".join(shlex.join(map(str, command)) for command in commands)


def loops(home, out, engine, *options):
    """The plain loop, one process for each database."""
    program = {"pebble": [PROGRAMS / "bench", "copy"], "rocksdb": [PROGRAMS / "bench-rocksdb"]}[engine]
    return shell(["mkdir", "-p", out], *(
        [*program, "-from", home / f"data/{name}.db", "-to", out / f"{name}.db", *options] for name in DATABASES))


def copy_of(paths, out):
    return shell(["mkdir", "-p", out], ["cp", "-r", *paths, out], ["sync", "-f", out])


def targets(home):
    """The new databases that wait for their cut-over."""
    return sorted((home / "data/.node-migrate").glob("*/databases/*/waiting"))


def competitors(home, out):
    """Name to (command to prepare with, or None; function that makes the measured command)."""
    table = {"cp -r, sync (source)": (None, lambda: copy_of([home / "data"], out))}
    for engine, name in ENGINES.items():
        if engine == "rocksdb" and not (PROGRAMS / "bench-rocksdb").exists():
            print("SKIPPED: the plain loop to RocksDB (librocksdb-dev is missing)", file=sys.stderr)
        else:
            table[f"plain loop to {engine}"] = (None, lambda e=engine: loops(home, out, e))
            table[f"plain loop to {engine}, read back"] = (None, lambda e=engine: loops(home, out, e, "-verify"))
        run = shell([TOOL, "run", home, "--to", name, "--execute"])
        table[f"cp -r, sync (target of {engine})"] = (run, lambda: copy_of([path.parent for path in targets(home)], out))
        table[f"node-migrate to {engine}, copy alone"] = (None, lambda c=run: c)
        whole = shell([TOOL, "migrate", home, "--to", name, "--execute", "--json"])
        table[f"node-migrate to {engine}{WHOLE}"] = (None, lambda c=whole: c)
    for name, words in CONVERSIONS.items():
        table[f"copy, {name}"] = (None, lambda w=words: shell([TOOL, "run", home, "--to", "pebbledb" + w, "--execute"]))
    converted = shell([TOOL, "migrate", home, "--to", "goleveldb" + CONVERSIONS["v0_38 to v1_0, layout v1 to v2"], "--execute"],
                      [TOOL, "finalise", home, "--execute"])
    table[PLAIN_CONVERTED] = (converted, lambda: shell([TOOL, "run", home, "--to", "pebbledb", "--execute"]))
    for name, words in CONVERSIONS_BACK.items():
        table[f"copy, {name}"] = (converted, lambda w=words: shell([TOOL, "run", home, "--to", "pebbledb" + w, "--execute"]))
    return table


def clone(source, home):
    for folder, _, files in os.walk(source):
        target = home / Path(folder).relative_to(source)
        target.mkdir(parents=True, exist_ok=True)
        for name in files:
            place = os.link if name.endswith(".ldb") else shutil.copy2
            place(Path(folder, name), target / name)


def cool(folder):
    """Drops the pages of all files from the cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def turn(source, work, name):
    shutil.rmtree(work, ignore_errors=True)
    home, out = work / "home", work / "out"
    clone(source, home)
    prepare, command = competitors(home, out)[name]
    if prepare:
        subprocess.run(prepare, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cool(home)
    reached = None
    with (work / "log").open("w") as log:
        start = time.monotonic()
        process = subprocess.Popen(["sh", "-c", command()], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            log.write(line)
            if LAYERS_1_2_END in line and '"end"' in line:
                reached = time.monotonic() - start
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}:\n{(work / 'log').read_text(errors='replace')[-3000:]}")
    shutil.rmtree(work)
    rows = [{"name": name, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024}]
    if name.endswith(WHOLE):
        rows.insert(0, {"name": name.removesuffix(WHOLE) + LAYERS_1_2, "wall": reached})
    return rows


def table(results, payload, data_set):
    by_name = {}
    for each in results:
        by_name.setdefault(each["name"], []).append(each)
    print(f"\n{data_set}: {payload / 1e6:,.0f} MB of keys and values; medians of {len(next(iter(by_name.values())))} rounds, cold cache, "
          f"{os.cpu_count()} cores\n")
    print("| what | wall s | min-max | CPU s | MB/s | peak RSS MB | wall / plain loop to the same engine, read back |")
    print("|---|---|---|---|---|---|---|")
    for name, turns in by_name.items():
        engine = "rocksdb" if "rocksdb" in name and "plain loop to rocksdb, read back" in by_name else "pebble"
        yardstick = [each["wall"] for each in by_name[f"plain loop to {engine}, read back"]]
        median = {key: statistics.median(each[key] for each in turns) for key in turns[0] if key in ("wall", "cpu", "rss_mb")}
        cpu, rss = (f"{median[key]:{form}}" if key in median else "" for key, form in (("cpu", ".2f"), ("rss_mb", ".0f")))
        walls = [each["wall"] for each in turns]
        ratio = statistics.median(own / other for own, other in zip(walls, yardstick))
        print(f"| {name} | {median['wall']:.2f} | {min(walls):.2f}-{max(walls):.2f} | {cpu} | {payload / 1e6 / median['wall']:.0f} "
              f"| {rss} | {ratio:.2f} |")


def conversions(results):
    """How fast conversions are beside the plain copy of the same home: by CPU, which a busy machine hardly changes, and by wall time."""
    def median(name, key):
        return statistics.median(each[key] for each in results if each["name"] == name)

    print("\n| conversion, goleveldb to Pebble | CPU s | wall s | speed of the plain copy, by CPU | by wall |")
    print("|---|---|---|---|---|")
    for plain, names in ((PLAIN, CONVERSIONS), (PLAIN_CONVERTED, CONVERSIONS_BACK)):
        for name in names:
            own = {key: median(f"copy, {name}", key) for key in ("cpu", "wall")}
            ratios = [f"{median(plain, key) / own[key]:.0%}" for key in ("cpu", "wall")]
            print(f"| {name} | {own['cpu']:.2f} | {own['wall']:.2f} | {ratios[0]} | {ratios[1]} |")


def main():
    folder, data_set, rounds, results_file = Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    source, work = folder / data_set, folder / "work"
    digests = last_document(Tool(TOOL).run("digest", source, "--json"))["databases"]
    payload = sum(each["key_bytes"] + each["value_bytes"] for each in digests)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    results = []
    for number in range(rounds):
        for name in competitors(work / "home", work / "out"):
            for row in turn(source, work, name):
                results.append({"set": data_set, "round": number, **row})
                with results_file.open("a") as file:
                    file.write(json.dumps(results[-1]) + "\n")
                print(f"{data_set} round {number + 1}: {row['name']}: {row['wall']:.2f} s", file=sys.stderr, flush=True)
    table([each for each in results if not each["name"].startswith("copy")], payload, data_set)
    conversions(results)


if __name__ == "__main__":
    main()
