"""Copies of requests for versions whose answers nobody is given, and how they compare. Never on a request's path."""
