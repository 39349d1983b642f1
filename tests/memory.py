"""For scripts of tests, which measure their own process: what it takes of memory that is not a file's."""

from __future__ import annotations

GROWN = """
import threading
from pathlib import Path

def grown(work):  # by how many MiB at most, while it works
    def anonymous():
        fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
        return int(fields["RssAnon"].split()[0]) // 1024
    before = most = anonymous()
    done = threading.Event()
    def watch():
        nonlocal most
        while not done.wait(0.002):
            most = max(most, anonymous())
    thread = threading.Thread(target=watch)
    thread.start()
    work()
    done.set()
    thread.join()
    return most - before
"""
