"""Data that ships with turnkey: presets, style sheets, pictures."""
