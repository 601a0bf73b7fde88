# Vault's client reads VAULT_ADDR, and VAULT_TOKEN or the token of `vault login`.
conda token provider add --scope https://conda.example.org/acme --name vault --print token -- \
  vault kv get -mount=secret -field=token conda/acme
