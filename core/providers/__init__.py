"""What a provider is called and where it is: presets, names, base URLs."""
