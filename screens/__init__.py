"""One module a screen: what a person sees and does there."""
