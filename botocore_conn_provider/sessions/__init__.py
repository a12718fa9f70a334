"""Fit botocore's sessions: the only package that knows their insides.

installation ─▶ fitting ─▶ defaults (region, profile, Config, endpoints, verify)
│       resolver ─▶ providers ─▶ credentials
└─ binding: one connection as one session sees it
"""
