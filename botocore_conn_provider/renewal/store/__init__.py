"""Share credentials among the processes of one user on one machine."""
