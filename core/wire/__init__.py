"""HTTP: the client and its bounds, chat requests, event streams, what a failure means."""
