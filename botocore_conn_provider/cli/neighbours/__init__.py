"""What stands beside the connection on this machine and may get in its way.

`doctor` and `lint` show it. Packages are looked at by their metadata: nothing is
imported, and nothing is asked of the network. None of it says that the connection is
wrong.
"""
