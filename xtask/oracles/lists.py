"""volatility3's own lists of processes, modules and threads.

Nothing is detected: the layers, the kernel's base and its symbols are configured by hand, since its detection
downloads symbols by the PDB's name. The symbols are made by its own pdbconv from our PDB.
"""

import inspect
import json
import os
import pathlib
import re
import tempfile

from apart import answer_apart
from forms import address, time, wait_reason
from volatility3.framework import contexts
from volatility3.framework.layers import crash, intel, physical
from volatility3.framework.symbols import windows
from volatility3.framework.symbols.windows import pdbconv
from volatility3.plugins.windows import modules, pslist, threads

# clang writes one for each unnamed member structure; the size is of the record, less its leaf.
NESTED = 0x1510
# It refuses a kernel without these types, which our small one does not have and its lists do not need.
ABSENT = re.findall(r'"(_[A-Z0-9_]+)"', inspect.getsource(windows.WindowsKernelIntermedSymbols.__init__))


class Reader(pdbconv.PdbReader):
    """Its reader, which steps over nested types instead of giving up."""

    def consume_type(self, module, offset, length):
        layer = self.context.layers[module._layer_name]
        if int.from_bytes(layer.read(offset, 2), "little") != NESTED:
            return super().consume_type(module, offset, length)
        end = offset + 8
        while layer.read(end, 1) != b"\0":
            end += 1
        return (None, None, None), end + 1 - offset

    def convert_fields(self, fields):
        if self.types[fields] is not None:
            leaf, name, members = self.types[fields]
            self.types[fields] = leaf, name, [member for member in members if member[0] is not None]
        return super().convert_fields(fields)


def symbols(pdb, folder):
    context = contexts.Context()
    location = pathlib.Path(pdb).absolute().as_uri()
    path = os.path.join(folder, "ntkrnlmp.json")
    made = Reader(context, location, "ntkrnlmp.pdb").get_json()
    for name in ABSENT:
        made["user_types"].setdefault(name, {"kind": "struct", "size": 8, "fields": {}})
    with open(path, "w") as out:
        json.dump(made, out)
    return pathlib.Path(path).absolute().as_uri()


def kernel(dump, isf, base, tables):
    context = contexts.Context()
    context.config["file.location"] = pathlib.Path(dump).absolute().as_uri()
    context.add_layer(physical.FileLayer(context, "file", "file"))
    context.config["crash.base_layer"] = "file"
    context.add_layer(crash.WindowsCrashDump64Layer(context, "crash", "crash"))
    context.config["virtual.memory_layer"] = "crash"
    context.config["virtual.page_map_offset"] = tables
    context.config["virtual.kernel_virtual_offset"] = base
    context.add_layer(intel.WindowsIntel32e(context, "virtual", "virtual"))
    context.config["symbols.isf_url"] = isf
    context.symbol_space.append(windows.WindowsKernelIntermedSymbols(context, "symbols", "symbols", isf))
    module = contexts.Module.create(context, "kernel", "virtual", offset=base, symbol_table_name="symbols")
    return context, module.name


def process(item):
    called = item.ImageFileName.cast("string", max_length=item.ImageFileName.vol.count, errors="replace")
    return {
        "address": address(item.vol.offset),
        "pid": int(item.UniqueProcessId),
        "parent_pid": int(item.InheritedFromUniqueProcessId),
        "name": str(called),
        "threads": int(item.ActiveThreads),
        "created": time(item.CreateTime.QuadPart),
        "exited": time(item.ExitTime.QuadPart),
        "directory_table_base": address(item.Pcb.DirectoryTableBase),
    }


def module(item):
    return {
        "base": address(item.DllBase),
        "size": int(item.SizeOfImage),
        "name": item.BaseDllName.get_string(),
        "path": item.FullDllName.get_string(),
    }


def thread(item):
    return {
        "address": address(item.vol.offset),
        "pid": int(item.Cid.UniqueProcess),
        "tid": int(item.Cid.UniqueThread),
        "state": item.Tcb.get_state(),
        "wait_reason": wait_reason(item.Tcb.get_state(), item.Tcb.WaitReason),
        "priority": int(item.Tcb.Priority),
        "base_priority": int(item.Tcb.BasePriority),
        "context_switches": int(item.Tcb.ContextSwitches),
        "start_address": address(item.StartAddress),
        "win32_start_address": address(item.Win32StartAddress),
        "created": time(item.CreateTime.QuadPart),
    }


def judge(path, plan):
    with tempfile.TemporaryDirectory() as folder:
        isf = symbols(plan["pdb"], folder)
        context, name = kernel(path, isf, plan["kernel_base"], plan["tables"])
        return {
            "processes": [process(item) for item in pslist.PsList.list_processes(context, name)],
            "modules": [module(item) for item in modules.Modules.list_modules(context, name)],
            "threads": [thread(item) for item in threads.Threads.list_process_threads(context, name)],
        }


answer_apart(judge)
