#!/usr/bin/env bash
# Writes infra/.env: settings, and secrets drawn at random. It never overwrites one.
#   infra/init-env.sh [NAME=value ...]      as NEWSCLF_SITE=mlflow.example.org NEWSCLF_TLS=acme NEWSCLF_ADDRESS=0.0.0.0
set -euo pipefail
umask 077
file=$(cd "$(dirname "$0")" && pwd)/.env

if [ -e "$file" ]; then
  echo "init-env.sh: $file is there, and is left as it is: its secrets are those of the data" >&2
  exit 2
fi
random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# One at a time, so what another has left was killed. It has secrets in it.
! command -v flock > /dev/null || { exec 8< "$0" && flock 8 && rm -rf "$(dirname "$file")"/.init-env.??????; }
folder=$(mktemp -d "$(dirname "$file")/.init-env.XXXXXX")
trap 'rm -rf "$folder"' EXIT
new=$folder/.env
cat > "$new" << END
# Settings of the tracking backend: docs/backend.md tells what they mean. Keep this file to yourself, and a copy of it apart
# from the backups: without it they cannot be used.

# The name in the address, the address on this machine that is listened on, and its port.
NEWSCLF_SITE=localhost
NEWSCLF_ADDRESS=127.0.0.1
NEWSCLF_PORT=443
# The certificate: internal (of its own authority), acme (public, got by itself), files (yours).
NEWSCLF_TLS=internal

# What a new user may do with everybody's runs: READ, USE, EDIT, MANAGE or NO_PERMISSIONS.
NEWSCLF_DEFAULT_PERMISSION=READ
# Processes of the server, of about 250 MB each.
NEWSCLF_WORKERS=2
NEWSCLF_BUCKET=mlflow

NEWSCLF_ADMIN_PASSWORD=$(random 16)
NEWSCLF_DB_PASSWORD=$(random 16)
NEWSCLF_DB_ROOT_PASSWORD=$(random 16)
NEWSCLF_S3_KEY=$(random 8)
NEWSCLF_S3_SECRET=$(random 20)
NEWSCLF_SESSION_SECRET=$(random 32)
END

for setting in "$@"; do
  name=${setting%%=*}
  [[ $setting =~ ^[A-Z_][A-Z0-9_]*= ]] || { echo "init-env.sh: '$name' is not NAME=value" >&2; exit 2; }
  there=
  while IFS= read -r line; do
    case $line in "$name="*) there=yes line=$setting ;; esac
    echo "$line"
  done < "$new" > "$folder/part"
  [ -n "$there" ] || echo "$setting" >> "$folder/part"
  mv "$folder/part" "$new"
done
"$(dirname "$0")/check-env.sh" "$new"
# A link fails where a file is: two calls at once make one.
ln "$new" "$file"
echo "$file written; the administrator is admin, with NEWSCLF_ADMIN_PASSWORD"
