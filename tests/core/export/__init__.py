"""Exports: exact texts, merged into what people have."""
