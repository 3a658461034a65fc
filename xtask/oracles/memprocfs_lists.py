"""MemProcFS: physical memory, processes, modules and threads.

`memprocfs_lists.py FOLDER`: as the dump and the wheel are. `memprocfs_lists.py FOLDER told`: with two things told to
it without which it does not take our kernel. First, the section name "POOLCODE", by which it knows the kernel's first
page: written into that page, in a copy of the dump. Second, what kernel this is: the wheel has no reader of PDBs but a
list of offsets of kernels that it knows by their PDBs' identity; in a copy of the list ours takes the place of one of
build 19041, whose offsets our layout 19041 has. Symbol servers are switched off.
"""

import hashlib
import importlib.util
import os
import pathlib
import shutil
import sqlite3
import sys
import tempfile

from apart import answer_apart
from forms import STATES, address, time, wait_reason

PAGE = 4096
QUIET = ["-disable-symbolserver", "-disable-python", "-norefresh", "-waitinitialize"]
MARK = b"POOLCODE"
# Of ntkrnlmp.pdb of a build 19041: published output of volatility3's windows.info has both.
KNOWN = "81BC5C377C525081645F9958F209C5271"


def identity(image):
    """GUID and age of an image's PDB, as the list has them."""
    data = pathlib.Path(image).read_bytes()
    at = data.index(b"RSDS") + 4
    field = lambda offset, size: int.from_bytes(data[at + offset : at + offset + size], "little")
    guid = f"{field(0, 4):08X}{field(4, 2):04X}{field(6, 2):04X}{data[at + 8 : at + 16].hex().upper()}"
    return f"{guid}{field(16, 4):X}"


def told_what_kernel(image, folder):
    """A copy of the package, whose list has our kernel; Python then takes it from there."""
    package = pathlib.Path(importlib.util.find_spec("memprocfs").origin).parent
    copy = shutil.copytree(package, os.path.join(folder, "memprocfs"))
    table = sqlite3.connect(os.path.join(copy, "info.db"))
    with table:
        changed = table.execute("UPDATE pdb SET guidage = ? WHERE guidage = ?", (identity(image), KNOWN))
        if changed.rowcount != 1:
            raise RuntimeError(f"its list has {changed.rowcount} kernels {KNOWN}")
    table.close()
    sys.path.insert(0, folder)


def told_where(path, base, tables, folder):
    """A copy of the dump with the mark in the free end of the kernel's first page, if it finds that page."""
    import memprocfs

    vmm = memprocfs.Vmm(["-device", path, "-dtb", hex(tables), *QUIET])
    processes = vmm.process_list()
    page = processes[0].memory.read(base, PAGE) if processes else b""
    vmm.close()
    if len(page) != PAGE:
        return path
    data = bytearray(pathlib.Path(path).read_bytes())
    places = [at for at in range(0, len(data), PAGE) if data[at : at + PAGE] == page]
    if len(places) != 1 or any(page[-len(MARK) :]):
        raise RuntimeError(f"the kernel's first page is there {len(places)} times, or full")
    data[places[0] + PAGE - len(MARK) : places[0] + PAGE] = MARK
    copy = os.path.join(folder, "told.dmp")
    pathlib.Path(copy).write_bytes(data)
    return copy


def opened(path, folder):
    """It, or what it says that is wrong."""
    import memprocfs

    log = os.path.join(folder, "log.txt")
    try:
        return memprocfs.Vmm(["-device", path, "-logfile", log, "-loglevel", "f:4", *QUIET])
    except Exception as error:
        lines = pathlib.Path(log).read_text(errors="replace").splitlines() if os.path.exists(log) else []
        words = [line.split("] ", 1)[-1].strip() for line in lines if " CRIT [" in line]
        raise RuntimeError(" / ".join(words) or str(error))


def pages(path, frames):
    """Runs of pages that it reads: the first, how many, and their SHA-256."""
    import memprocfs

    vmm = memprocfs.Vmm(["-device", path, "-_internal_physical_memory_only", *QUIET])
    runs = []
    after = None
    for frame in range(frames):
        page = vmm.memory.read(frame * PAGE, PAGE)
        if len(page) != PAGE:
            continue
        if frame != after:
            runs.append([frame, 0, hashlib.sha256()])
        runs[-1][1] += 1
        runs[-1][2].update(page)
        after = frame + 1
    vmm.close()
    return [[first, count, seen.hexdigest()] for first, count, seen in runs]


def process(item):
    return {
        "address": address(item.eprocess),
        "pid": item.pid,
        "parent_pid": item.ppid,
        "name": item.name,
        # Without the low bits of DirectoryTableBase, which are no address.
        "tables": address(item.dtb),
    }


def module(item):
    return {"base": address(item.base), "size": item.image_size, "name": item.name}


def thread(item):
    state = STATES[item["state"]]
    return {
        "address": address(item["va-ethread"]),
        "pid": item["pid"],
        "tid": item["tid"],
        "state": state,
        "wait_reason": wait_reason(state, item["waitreason"]),
        "priority": item["priority"],
        "base_priority": item["basepriority"],
        "start_address": address(item["va-start"]),
        "win32_start_address": address(item["va-win32start"]),
        "created": time(item["time-create"]),
    }


def lists(vmm):
    processes = vmm.process_list()
    return {
        "processes": [process(item) for item in processes],
        "modules": [module(item) for item in vmm.process(4).module_list()],
        "threads": [thread(item) for owner in processes for item in owner.maps.thread()],
    }


def as_it_is(path, plan):
    with tempfile.TemporaryDirectory() as folder:
        answer = {"pages": pages(path, plan["frames"])}
        try:
            answer.update(lists(opened(path, folder)))
        except Exception as error:
            answer["error"] = str(error)
        return answer


def told(path, plan):
    with tempfile.TemporaryDirectory() as folder:
        if plan["known"]:
            told_what_kernel(plan["image"], folder)
        copy = told_where(path, plan["kernel_base"], plan["tables"], folder)
        try:
            return lists(opened(copy, folder))
        except Exception as error:
            return {"error": str(error)}


answer_apart(told if "told" in sys.argv else as_it_is)
