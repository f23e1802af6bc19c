"""What requests hold: columns, types and rules; rows decoded and checked. Never a route, never a model."""
