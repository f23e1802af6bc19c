"""A peer as a server: its environment, a folder with its files and the model, spare ports."""

import copy
import pickle
import shutil
import string
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.bundles import ROW, Trained
from benchmarks.serving.environments import NoEnvironmentError, environment, variables
from benchmarks.serving.floor_model import plain_estimator
from benchmarks.serving.peers.peer import MODEL, NAMED_MODEL, Peer
from benchmarks.serving.rows import COLUMNS
from benchmarks.serving.server import Server, spare_port

_PREPARE_S = 300


def stage(peer: Peer, trained: Trained, cache: Path) -> Server:
    """Return a peer with a model, ready to be started.

    Raises:
        NoEnvironmentError: Its packages cannot be had, or its preparation failed.
    """
    product, _, _ = peer.name.partition(",")
    made = environment(cache, product.lower().replace(" ", "-"), peer.requirements)
    folder = trained.project / "peers" / peer.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _write_models(folder, plain_estimator(trained))
    ports = {"port": spare_port(), **{f"spare{number}": spare_port() for number in range(2)}}
    for name, text in peer.files.items():
        (folder / name).write_text(string.Template(text).safe_substitute(ports))
    surroundings = variables(made, **peer.variables)
    if peer.prepare:
        _prepare(peer, folder, surroundings)
    return Server(
        name=peer.name,
        command=[string.Template(word).safe_substitute(ports) for word in peer.command],
        url=f"http://127.0.0.1:{ports['port']}{peer.path}",
        body=peer.body(ROW),
        read=peer.read,
        cwd=folder,
        environment=surroundings,
    )


def _write_models(folder: Path, estimator: Any) -> None:
    """Write the estimator for arrays, and a copy of it that knows the names of a data frame."""
    named = copy.deepcopy(estimator)
    named[0].feature_names_in_ = np.array(COLUMNS, dtype=object)
    (folder / MODEL).write_bytes(pickle.dumps(estimator))
    (folder / NAMED_MODEL).write_bytes(pickle.dumps(named))


def _prepare(peer: Peer, folder: Path, surroundings: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["/usr/bin/env", *peer.prepare],
        cwd=folder,
        env=dict(surroundings),
        check=False,
        capture_output=True,
        text=True,
        timeout=_PREPARE_S,
    )
    if done.returncode:
        msg = f"{peer.name} cannot be prepared:\n{done.stderr[-2000:]}"
        raise NoEnvironmentError(msg)
