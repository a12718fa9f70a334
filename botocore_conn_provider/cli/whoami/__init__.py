"""What `whoami` does: ask as whom the connection acts, and try each engine here."""
