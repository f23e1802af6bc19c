"""The client is a guest in other people's programs: it brings nothing along and is there at once."""

import json
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
LIMIT_S = 0.060
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


def test_it_is_imported_within_60_ms():
    bare = min(processor_s("pass") for _ in range(3))
    found = []
    while len(found) < TRIES and not any(one <= LIMIT_S for one in found):  # a busy machine
        found.append(processor_s("import setpoint.client") - bare)
    assert min(found) <= LIMIT_S


def test_what_it_names_is_there():
    for name in setpoint.client.__all__:
        assert hasattr(setpoint.client, name)
    assert setpoint.client.__all__ == sorted(setpoint.client.__all__)
