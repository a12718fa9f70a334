variable "service_account_id" {
  description = "The unique id of the Google service account: 21 digits, not its e-mail."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{15,25}$", var.service_account_id))
    error_message = "Use the number that gcloud shows as uniqueId."
  }
}

variable "authorized_party" {
  description = "The token's azp: the unique id, but the e-mail where a key file signs in. Null takes the unique id."
  type        = string
  default     = null
}

variable "audience" {
  description = "What the connection's assume_role_with_web_identity_federation_audience says."
  type        = string
}

variable "role_name" {
  description = "The name of the role."
  type        = string
  default     = "google-federation"
}

variable "bucket_name" {
  description = "The one bucket that the role may read."
  type        = string
}
