"""HTTP/1.1: connections, bounds, requests and responses, refusals. Never what a route does."""
