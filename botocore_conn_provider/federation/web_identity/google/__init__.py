"""ID tokens from Google's Application Default Credentials, with google-auth only.

`google.auth.default` and `fetch_id_token_credentials` are not used: the first makes
look-ups and may run `gcloud`, the second passes over the user's file of a kind it
does not know and takes the machine's identity instead.
"""
