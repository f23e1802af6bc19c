"""Pure numbers: distances, tests, intervals, sequential tests, metrics.

What belongs: functions of arrays to arrays, with numpy and scipy's special functions; chance comes
in as a seed. One method a file, its source in the docstring.
What never: the contract, facts, files, clocks, unseeded randomness, data frames.
"""
