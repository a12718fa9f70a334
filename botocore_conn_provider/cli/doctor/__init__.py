"""What `doctor` looks at, step by step: each is the real flow's own step."""
