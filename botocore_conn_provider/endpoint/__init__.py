"""Hand the connection's credentials to other programs and engines of this machine.

The way of AWS's own container agents: an HTTP endpoint on loopback, which every AWS SDK
knows how to ask. `endpoint` opens one; `server` speaks HTTP, by the `request_rules`;
`supply` has the answer; `variables` are what an engine is told by.

Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
"""
