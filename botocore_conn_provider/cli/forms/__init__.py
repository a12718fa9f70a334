"""The other forms of a connection: an AWS profile, a shell's export line, current fields."""
