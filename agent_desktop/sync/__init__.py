"""The server's HTTP API and the work of staying in step with it. Knows no Qt and no services."""
