"""Fit botocore: the only place that knows its insides.

Binding ──▶ judge ──▶ session defaults (region, profile, Config, endpoints, verify)
   │                  resolver ──▶ provider ──▶ credentials
   └─ one connection as one session sees it
"""
