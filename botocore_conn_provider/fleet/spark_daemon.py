"""What `spark.python.daemon.module` names: see `spark_processes`."""

from botocore_conn_provider.fleet.spark_processes import run_daemon

if __name__ == "__main__":
    run_daemon()
