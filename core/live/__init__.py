"""One streamed request: events, phases, the meter, the verdict."""
