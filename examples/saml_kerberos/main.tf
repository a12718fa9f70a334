# The IAM side of AssumeRoleWithSAML: who vouches, for which role, under what condition.

variable "role_name" {
  type    = string
  default = "analyst"
}

resource "aws_iam_saml_provider" "corp" {
  name                   = "corp"
  saml_metadata_document = file("${path.module}/idp-metadata.xml")
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithSAML"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_saml_provider.corp.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "SAML:aud"
      values   = ["https://signin.aws.amazon.com/saml"]
    }
  }
}

resource "aws_iam_role" "analyst" {
  name                 = var.role_name
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

output "role_arn" {
  value = aws_iam_role.analyst.arn
}

output "principal_arn" {
  value = aws_iam_saml_provider.corp.arn
}
