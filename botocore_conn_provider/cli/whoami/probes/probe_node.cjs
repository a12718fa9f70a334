// List a bucket with the AWS SDK for JavaScript that the working directory has.
const { createRequire } = require("node:module");
const NOT_HERE = 77;

let sdk;
try {
  sdk = createRequire(`${process.cwd()}/`)("@aws-sdk/client-s3");
} catch (error) {
  if (error.code === "MODULE_NOT_FOUND") process.exit(NOT_HERE);
  throw error;
}
const s3 = new sdk.S3Client({
  endpoint: process.argv[2],
  region: "us-east-1",
  forcePathStyle: true,
});
s3.send(new sdk.ListObjectsV2Command({ Bucket: "whoami" })).catch((error) => {
  console.error(`${error.name}: ${String(error.message).replace(/\s+/g, " ")}`);
  process.exit(1);
});
