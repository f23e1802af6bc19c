"""The hot path starts light."""

import subprocess
import sys

HEAVY = ("pandas", "sklearn", "scipy", "mlflow", "pydantic", "sqlalchemy", "pyarrow", "uvicorn")


def loaded_by(statement):
    code = (
        f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_whole_room_loads_nothing_heavy():
    assert not loaded_by("import setpoint.gateway.app") & set(HEAVY)


def test_gateway_process_loads_no_training_library():
    heavy = {"pandas", "sklearn", "scipy", "mlflow", "pydantic", "sqlalchemy"}
    assert not loaded_by("import setpoint.wiring.gateway") & heavy


def test_gateway_without_tokens_or_urls_loads_nothing_for_them():
    unneeded = {"jwt", "cryptography", "http.client", "urllib.request", "sqlalchemy"}
    code = (
        "import sys, setpoint.wiring.gateway, setpoint.wiring.gateway_choice; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & unneeded


def test_gateway_without_a_port_for_grpc_loads_nothing_of_it():
    assert not loaded_by("import setpoint.wiring.gateway") & {"grpc", "google"}
