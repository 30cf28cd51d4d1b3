"""Keys: in the OS keyring, bound to one origin, out as environment variables."""
