"""The demo provider: an endpoint on loopback to learn and to test on."""
