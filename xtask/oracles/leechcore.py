"""LeechCore: physical memory by whole pages. Types 1, 5, 6, files from 16 MiB on."""

import leechcorepyc
from judge import answer_all, seen


def judge(path, plan):
    device = leechcorepyc.LeechCore("file://" + path)
    try:
        # read() pads with zeros: what there is stands in the map that it made of the dump.
        # read_scatter() goes past that map, to the bytes of the file.
        spans = [(span["base"], span["base"] + span["size"]) for span in device.memmap]

        def page(address):
            if not any(start <= address < end for start, end in spans):
                return None
            return seen(device.read(address, 4096))

        return {"pages": [page(asked["address"]) for asked in plan["pages"]]}
    finally:
        device.close()


answer_all(judge)
