"""The HTTP service: a Starlette app over `wiring.Services`. See README.md."""
