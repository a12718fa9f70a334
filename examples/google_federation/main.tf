# Google is built into AWS: accounts.google.com needs no IAM OIDC provider.
data "aws_iam_policy_document" "trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["accounts.google.com"]
    }

    # For AWS "aud" is the token's azp: who asked for the token.
    condition {
      test     = "StringEquals"
      variable = "accounts.google.com:aud"
      values   = [coalesce(var.authorized_party, var.service_account_id)]
    }

    # For AWS "oaud" is the token's aud: whom the token is for.
    condition {
      test     = "StringEquals"
      variable = "accounts.google.com:oaud"
      values   = [var.audience]
    }

    condition {
      test     = "StringEquals"
      variable = "accounts.google.com:sub"
      values   = [var.service_account_id]
    }
  }
}

resource "aws_iam_role" "google" {
  name                 = var.role_name
  description          = "Assumed by one Google service account, without stored keys."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "read_bucket" {
  statement {
    effect    = "Allow"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::${var.bucket_name}"]
  }

  statement {
    effect    = "Allow"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::${var.bucket_name}/*"]
  }
}

resource "aws_iam_role_policy" "read_bucket" {
  name   = "read-${var.bucket_name}"
  role   = aws_iam_role.google.id
  policy = data.aws_iam_policy_document.read_bucket.json
}

output "role_arn" {
  description = "The connection's role_arn."
  value       = aws_iam_role.google.arn
}
