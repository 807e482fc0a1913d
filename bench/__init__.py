"""Measures the agent on a fixed workload, beside a bare listener, on a private display. `./dev bench`; see bench/README.md."""
