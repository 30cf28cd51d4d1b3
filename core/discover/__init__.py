"""Which server answers at an endpoint, which models it lists, and what is known of each."""
