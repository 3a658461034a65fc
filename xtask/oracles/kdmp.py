"""The wheel kdmp-parser (the C++ library): types 1, 5, 6, 8, 9, A."""

import kdmp_parser
from judge import answer_all, seen


def read(dump, address, length):
    """It reads virtual memory by the page; from page to page is ours."""
    data = b""
    while len(data) < length:
        here = address + len(data)
        page = dump.read_virtual_page(here & ~0xFFF)
        if page is None:
            return None
        data += bytes(page)[here & 0xFFF :][: length - len(data)]
    return data


def judge(path, plan):
    dump = kdmp_parser.KernelDumpParser(path)
    header = dump.header
    return {
        "header": {
            "directory_table_base": dump.directory_table_base,
            "code": header.BugCheckCode,
            "parameters": list(header.BugCheckCodeParameter),
            "processors": header.NumberProcessors,
        },
        "pages": [seen(dump.read_physical_page(asked["address"])) for asked in plan["pages"]],
        "reads": [seen(read(dump, asked["address"], asked["length"])) for asked in plan["reads"]],
    }


answer_all(judge)
