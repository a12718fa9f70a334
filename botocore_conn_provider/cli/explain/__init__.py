"""`explain`: what a connection means here, without using the network."""
