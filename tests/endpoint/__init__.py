"""The endpoint that hands credentials to other programs."""
