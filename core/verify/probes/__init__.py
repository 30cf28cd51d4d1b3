"""The compatibility probes, by subject."""
