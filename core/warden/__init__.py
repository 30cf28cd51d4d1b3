"""The file Warden reads: document, edits, saves, lanes."""
