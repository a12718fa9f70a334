"""Who vouches for us: each proof ends in an assertion or a token for STS."""
