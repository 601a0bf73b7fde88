# The desktop app may ask for your fingerprint, so the time limit is a minute.
# In CI, op reads OP_SERVICE_ACCOUNT_TOKEN, or OP_CONNECT_HOST and OP_CONNECT_TOKEN.
conda token provider add --scope https://conda.example.org/acme --name onepassword --print token \
  --timeout 60 -- op read --no-newline op://dev/acme/token
