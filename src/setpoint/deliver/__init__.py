"""A contract to the files that other tools read: a new project, and later images, manifests and pipelines.

Belongs here: text from a contract and facts, by file name. Never here: writing a file, running a tool, or a decision.
"""
