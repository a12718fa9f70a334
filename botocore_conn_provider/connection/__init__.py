"""What the user wrote: Airflow's record, read completely, with no I/O.

    text ──uri_form / json_form──▶ fields ──extra──▶ AwsSettings      (record joins them)

Nothing here imports botocore. What only botocore can check (Config options, STS
parameters, profiles, files) is checked in `exchange.checks`.
"""
