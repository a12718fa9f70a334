"""When to renew, what to do when the source is down, who on this machine does it."""
