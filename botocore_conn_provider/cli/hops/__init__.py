"""What `doctor` looks at, hop by hop: each is the real flow's own step."""
