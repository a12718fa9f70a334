"""What `spark.python.worker.module` names: see `spark_processes`."""

from botocore_conn_provider.fleet.spark_processes import run_worker

if __name__ == "__main__":
    run_worker()
