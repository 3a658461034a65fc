"""As `judge`, with a process and a time limit for each file: a judge that crashes or hangs costs that file only."""

import json
import os
import subprocess
import sys

from judge import answer_all

SECONDS = 300


def answer_apart(judge):
    """`judge(path, plan)` as `answer_all` has it."""
    if not sys.argv[-1].endswith(".json"):
        answer_all(child)
        return
    # A judge's C code may print what it likes: our line goes out by a descriptor of its own.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with open(sys.argv[-1]) as file:
        plan = json.load(file)
    path = os.path.join(os.path.dirname(sys.argv[-1]), plan["file"])
    print(json.dumps(judge(path, plan)), file=out, flush=True)
    # Its threads may still run, and its end is not what is judged.
    os._exit(0)


def child(path, _plan):
    command = [sys.executable, *sys.argv, os.path.splitext(path)[0] + ".json"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {SECONDS} s"}
    if done.returncode == 0:
        return json.loads(done.stdout)
    if done.returncode < 0:
        return {"error": f"it died of signal {-done.returncode}"}
    words = done.stderr.decode(errors="replace").strip().replace(os.path.dirname(path) + os.sep, "").splitlines()
    return {"error": words[-1] if words else f"it ended with code {done.returncode}"}
