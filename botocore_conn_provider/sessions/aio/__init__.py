"""What imports aiobotocore, and nothing else. Loaded only where the program has imported it."""
