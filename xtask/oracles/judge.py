"""What every judge in Python does: read the plans of a folder, answer each, one line of JSON per file."""

import hashlib
import json
import os
import sys


def seen(data):
    """As the plans have it: the first and the last 16 bytes for people, SHA-256 of all; None for nothing."""
    if data is None:
        return None
    data = bytes(data)
    return data[:16].hex() + ".." + data[-16:].hex() + ":" + hashlib.sha256(data).hexdigest()


def answer_all(judge):
    """`judge(path, plan)` answers a dict; what it raises is why the file could not be opened."""
    folder = os.path.abspath(sys.argv[1])
    # A judge's C code may print what it likes: our lines go out by a descriptor of their own.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name)) as file:
            plan = json.load(file)
        try:
            answer = judge(os.path.join(folder, plan["file"]), plan)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".replace(folder + os.sep, "")}
        answer["file"] = plan["file"]
        print(json.dumps(answer), file=out, flush=True)
