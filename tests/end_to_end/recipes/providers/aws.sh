# The AWS client takes its credentials from the role of the machine, or from your profile.
conda token provider add --scope https://conda.example.org/acme --name aws --print token -- \
  aws secretsmanager get-secret-value --secret-id conda/acme --query SecretString --output text
