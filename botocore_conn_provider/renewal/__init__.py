"""Keep credentials fresh: when to renew, what to do when the source is down, who does it.

    registry ─▶ keeper ─▶ state (what is held) ─ schedule (when something is due)
                  └─▶ source ─▶ store | exchange.flows

Free of botocore's insides, so that one implementation serves every flow, sync
and async.
"""
