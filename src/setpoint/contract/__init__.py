"""What was promised: the parsed, frozen `model_contract.yaml`.

Belongs here: the contract's types (one section a file), reading its text with all errors at once, overlays, the short
form, the canonical form and its digest, the JSON Schema for editors, `plan` between two contracts and `check` of one.
Never here: IO beyond the given text, the clock, tables, models, or a judgement of anything but the contract itself.
"""
