"""The prediction log: chunks, tables in SQLite or PostgreSQL, Parquet files of past hours, reading and removal.

Never a rule of what must be logged: that is the gateway's and the contract's.
"""
