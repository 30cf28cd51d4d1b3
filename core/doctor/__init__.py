"""The doctor: a ladder of checks from the URL to a stream, and one sentence of what to do."""
