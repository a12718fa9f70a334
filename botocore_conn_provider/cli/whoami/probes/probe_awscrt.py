"""Sign a request with awscrt's own chain, and send it."""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

from awscrt import auth, io
from awscrt.http import HttpRequest

PATH = "/whoami?list-type=2"

place = urlsplit(sys.argv[1]).netloc
loops = io.EventLoopGroup(1)
bootstrap = io.ClientBootstrap(loops, io.DefaultHostResolver(loops))
request = HttpRequest("GET", PATH)
request.headers.add("host", place)
config = auth.AwsSigningConfig(
    algorithm=auth.AwsSigningAlgorithm.V4,
    credentials_provider=auth.AwsCredentialsProvider.new_default_chain(bootstrap),
    region="us-east-1",
    service="s3",
)
signed = auth.aws_sign_request(request, config).result()
s3 = http.client.HTTPConnection(place)
s3.request("GET", PATH, headers=dict(signed.headers))
s3.getresponse()
