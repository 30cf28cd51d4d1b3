"""A verified setup, written for its reader: Pi, stock Warden, a workflow, and other tools."""
