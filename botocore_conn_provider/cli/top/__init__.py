"""The command `top`: who asks what for the credentials in this machine's store."""
