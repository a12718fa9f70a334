"""Keep credentials fresh: when to renew, in which thread, and what to do in an outage.

    registry ─▶ keeper ─▶ state (the credentials) ─ schedule (what is due when)
                  └─▶ source ─▶ store | exchange.flows

It uses none of botocore's internals, so that one implementation serves every flow,
sync and async.
"""
