"""A fleet in simulated time: how often its workers ask STS.

The keepers, the schedule, the retries and the turns that the processes of a node take
are the real ones; time, the network and the files of the store are simulated.
"""
