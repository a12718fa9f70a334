"""Who vouches for us: a SAML assertion or an identity token, which STS exchanges."""
