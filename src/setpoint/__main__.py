"""`python -m setpoint` is `setpoint`."""

from setpoint.cli import main

main()
