"""The SAML sign-in, tried on real parts: a realm, Apache, signed assertions."""
