"""What the user wrote: Airflow's record, read completely, with no I/O.

    text ──uri_form / json_form──▶ fields ──extra──▶ AwsSettings      (record joins them)

Nothing here knows botocore. What only the host can judge (Config options, STS
parameters, profiles, files) is judged in `exchange.checks`.
"""
