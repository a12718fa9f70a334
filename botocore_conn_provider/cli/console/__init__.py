"""`console`: an address that signs a browser in, with the connection's credentials.

Source: IAM User Guide, "Enable custom identity broker access to the AWS console".
"""
