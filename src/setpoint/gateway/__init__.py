"""The hot path: decode, route, infer, log, answer.

Belongs here: what one gateway process does with a request, and how it follows the deployment document.
Never here: pandas, scikit-learn, scipy, MLflow, pydantic, SQL, the contract's types or the loop. What a gateway needs
of the contract stands in the bundle's `request.json`; what it needs of outside systems is handed in by `wiring`.
"""
