"""Give the workers of a fleet the connection: Dask, Ray, Spark.

What travels from the driver to the workers is the connection's name, never keys. Each
worker reads the connection where it runs, and the workers of one node share one exchange
by the node's store.

    from botocore_conn_provider.fleet.ray import runtime_env

    ray.init(runtime_env=runtime_env("aws_lake"))

Each module needs its engine, which is not installed with this package.
"""
