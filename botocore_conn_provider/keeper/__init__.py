"""Keep credentials: when to renew, what to do when the source is down, who does it.

Free of botocore's insides, so that one implementation serves every flow, sync
and async.
"""
