"""Turn a proof into temporary credentials: one flow for each of STS's three calls.

base identity | SAML assertion | identity token  --prove-->  --exchange-->  credentials
"""
