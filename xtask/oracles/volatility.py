"""volatility3: a crash layer over a file layer, an x64 layer over that. Types 1 and 5."""

import pathlib

from judge import answer_all, seen
from volatility3.framework import contexts, exceptions
from volatility3.framework.layers import crash, intel, physical


def layers(path):
    context = contexts.Context()
    context.config["file.location"] = pathlib.Path(path).absolute().as_uri()
    context.add_layer(physical.FileLayer(context, "file", "file"))
    context.config["crash.base_layer"] = "file"
    dump = crash.WindowsCrashDump64Layer(context, "crash", "crash")
    context.add_layer(dump)
    context.config["virtual.memory_layer"] = "crash"
    context.config["virtual.page_map_offset"] = dump.get_header().DirectoryTableBase & ~0xFFF
    return dump, intel.WindowsIntel32e(context, "virtual", "virtual")


def read(layer, asked):
    try:
        return seen(layer.read(asked["address"], asked["length"]))
    except exceptions.InvalidAddressException:
        return None


def judge(path, plan):
    dump, space = layers(path)
    header = dump.get_header()
    return {
        "header": {
            "directory_table_base": int(header.DirectoryTableBase) & ~0xFFF,
            "code": int(header.BugCheckCode),
            "parameters": [int(parameter) for parameter in header.BugCheckCodeParameter],
            "processors": int(header.NumberProcessors),
        },
        "pages": [read(dump, asked) for asked in plan["pages"]],
        "reads": [read(space, asked) for asked in plan["reads"]],
    }


answer_all(judge)
