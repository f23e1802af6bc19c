"""What a gateway keeps through switches, kills and crashes, counted over many of them.

Here belong runs that break or switch something hundreds of times under load and count what got lost. Never a benchmark
of speed against others (`benchmarks.serving`), never a test: tests hold the same promises a few times each.
"""
