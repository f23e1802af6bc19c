"""Servers that people use instead, each in one file: what to install and to write, how to start and to ask it."""
