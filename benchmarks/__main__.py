"""`make bench`: every benchmark in turn, each printing its figures."""

from benchmarks import (
    look_at_windows,
    prediction_log,
    replay_overhead,
    run_against_script,
    scoring,
)
from benchmarks.serving import run as serving

if __name__ == "__main__":
    run_against_script.main()
    replay_overhead.main()
    look_at_windows.main()
    prediction_log.main()
    scoring.main()
    serving.main(["--quick"])
