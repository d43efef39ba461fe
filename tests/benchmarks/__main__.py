"""``python -m tests.benchmarks [--quick] [NAME …]``: run benchmarks, print JSON, say which limits were kept."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import platform
import sys
import time

NAMES = (
    *("window_start", "screen_pop", "dial_to_invite", "call_setup", "line_cpu", "line_restart", "server_answers"),
    *("many_calls", "window_stalls", "upload_rate"),
    *("forty_calls", "tap_cpu", "opus_size", "verify_rate"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer repeats, for trying out")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    logging.disable(logging.WARNING)  # the invented cases are unknown to the server, which says so of each call
    results: dict[str, object] = {"machine": {"cpus": os.cpu_count(), "python": platform.python_version()}}
    missed = []
    for name in options.names or NAMES:
        print(f"• {name} …", file=sys.stderr, flush=True)
        started = time.monotonic()
        module = importlib.import_module(f"tests.benchmarks.{name}")
        result = module.run(quick=options.quick)
        result["took_s"] = round(time.monotonic() - started, 1)
        results[name] = result
        missed += [f"{name}.{key}" for key, limit in result.get("limits", {}).items() if result[key] > limit]
    results["missed"] = missed
    print(json.dumps(results, indent=2, ensure_ascii=False))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
