"""The client is a guest in other people's programs: it brings nothing along and is there at once."""

import json
import math
import resource
import subprocess
import sys

import setpoint.client

PROGRAM = """
import json, sys
before = set(sys.modules)
import setpoint.client
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""
NEEDED = "import asyncio, ssl, msgspec"
MOST = 1.5  # times what it needs
TRIES = 20


def processor_s(statement):
    """Return the processor time of a fresh interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-I", "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_it_needs_the_standard_library_and_msgspec_alone():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert loaded - set(sys.stdlib_module_names) <= {"msgspec", "setpoint", "typing_extensions"}


def test_it_is_imported_in_little_more_than_what_it_needs():
    ratio = math.inf
    for _ in range(TRIES):  # a busy machine may slow one down
        needed = processor_s(NEEDED)
        ratio = min(ratio, processor_s("import setpoint.client") / needed)
        if ratio <= MOST:
            break
    assert ratio <= MOST


def test_what_it_names_is_there():
    for name in setpoint.client.__all__:
        assert hasattr(setpoint.client, name)
    assert setpoint.client.__all__ == sorted(setpoint.client.__all__)
