"""`python -m benchmarks.serving`: see `run`."""

from benchmarks.serving.run import main

if __name__ == "__main__":
    main()
