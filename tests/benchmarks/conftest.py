"""Benchmarks are no part of the installed package; their pure parts are tested from the tree."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
