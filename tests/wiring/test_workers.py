"""The parent of workers, in a process that has threads of libraries: no signal may be lost to them."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading, time
import psutil
from setpoint.wiring.workers import run_workers

# A thread that blocks no signal, as libraries start them.
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

def die_meanwhile():
    for child in psutil.Process().children():
        child.kill()
    time.sleep(0.3)

threading.Timer(0.5, os.kill, (os.getpid(), signal.{number})).start()
run_workers(2, signal.pause, die_meanwhile)
print("ended")
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_workers_that_die_while_the_parent_is_busy_are_not_waited_for(number):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{number}", number)],
        capture_output=True,
        timeout=30,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
