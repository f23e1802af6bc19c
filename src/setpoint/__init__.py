"""Say what a model must be, in one `model_contract.yaml`; Setpoint keeps production there."""

__version__ = "0.1.0"
