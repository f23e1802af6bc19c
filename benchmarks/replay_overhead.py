"""What a replay takes beyond fit and predict, on the demo's two years."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from setpoint.worlds.subscription import subscription_table
from setpoint.worlds.subscription_contract import subscription_contract


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(subscription_table(7), folder / "rows.parquet")
        (folder / "model_contract.yaml").write_text(subscription_contract("rows.parquet"))
        command = [sys.executable, "-m", "setpoint", "replay", "--start", "4000", "--batch", "7d"]
        done = subprocess.run([*command, "--json"], cwd=folder, check=True, capture_output=True)
    found = json.loads(done.stdout)
    beyond = found["seconds"] - found["fit_predict_seconds"]
    print(
        f"replay of {found['rows']:,} rows: {found['seconds']:.1f} s, {beyond:.1f} s beyond fit and predict, "
        f"{found['fits'] + found['scheduled_fits']} fits"
    )
