"""Everything that is true without a screen: providers, files, keys, requests and their figures."""

__version__ = "0.1.0"
"""The one place where the version stands; the build and ``turnkey --version`` read it here."""
