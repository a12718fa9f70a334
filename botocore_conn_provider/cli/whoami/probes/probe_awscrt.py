"""Sign a request with awscrt's own chain, and send it."""

from __future__ import annotations

import sys
import urllib.request
from urllib.parse import urlsplit

from awscrt import auth, http, io

loops = io.EventLoopGroup(1)
bootstrap = io.ClientBootstrap(loops, io.DefaultHostResolver(loops))
request = http.HttpRequest("GET", "/whoami?list-type=2")
request.headers.add("host", urlsplit(sys.argv[1]).netloc)
config = auth.AwsSigningConfig(
    algorithm=auth.AwsSigningAlgorithm.V4,
    credentials_provider=auth.AwsCredentialsProvider.new_default_chain(bootstrap),
    region="us-east-1",
    service="s3",
)
signed = auth.aws_sign_request(request, config).result()
url = sys.argv[1] + "/whoami?list-type=2"
urllib.request.urlopen(urllib.request.Request(url, headers=dict(signed.headers)))
