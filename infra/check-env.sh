#!/usr/bin/env bash
# Says in one line what is wrong with infra/.env, or nothing:  infra/check-env.sh [file]
set -euo pipefail
file=${1:-$(dirname "$0")/.env}

refuse() {
  echo "$(basename "$file")${number:+ line $number}: $*" >&2
  exit 2
}
number=
[ -f "$file" ] || refuse "there is no such file: infra/init-env.sh writes it"
[ -z "$(find "$file" -perm -004 -o -perm -040)" ] || refuse "others can read it, and it holds secrets: chmod 600 $file"

password='at least 12 letters and digits'  # they stand in URLs and on lines of this file
needed="NEWSCLF_ADMIN_PASSWORD NEWSCLF_DB_PASSWORD NEWSCLF_DB_ROOT_PASSWORD NEWSCLF_S3_KEY NEWSCLF_S3_SECRET NEWSCLF_SESSION_SECRET"
seen=" "
compose_file=
site=
while IFS= read -r line || [ -n "$line" ]; do
  number=$((${number:-0} + 1))
  case $line in '' | '#'*) continue ;; esac
  [[ $line =~ ^[A-Z_][A-Z0-9_]*= ]] || refuse "this is not NAME=value (no spaces around the =)"
  name=${line%%=*} value=${line#*=}
  case $seen in *" $name "*) refuse "$name stands there twice" ;; esac
  seen="$seen$name "
  expect() { [[ $value =~ ^($1)$ ]] || refuse "$name must be $2"; }
  case $name in
    NEWSCLF_SITE) expect '[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?' 'a host name, as mlflow.example.org' && site=$value ;;
    NEWSCLF_ADDRESS) expect '[0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:]+\]' 'an IP address of this machine; 0.0.0.0 is all' ;;
    NEWSCLF_PORT) expect '[1-9][0-9]{0,4}' 'a port, as 443' ;;
    NEWSCLF_TLS) expect 'internal|acme|files' 'internal, acme or files' && tls=$value ;;
    NEWSCLF_DEFAULT_PERMISSION) expect 'READ|USE|EDIT|MANAGE|NO_PERMISSIONS' 'READ, USE, EDIT, MANAGE or NO_PERMISSIONS' ;;
    NEWSCLF_WORKERS) expect '[1-9][0-9]?' 'a number from 1 to 99' ;;
    NEWSCLF_BUCKET) expect '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]' 'the name of a bucket: 3 to 63 small letters, digits, dots and dashes' ;;
    NEWSCLF_S3_REGION) expect '[a-z0-9-]+' 'a region, as eu-central-1' ;;
    NEWSCLF_S3_ENDPOINT) expect 'https?://[^ ]+' 'an address with its scheme, as https://s3.example.org' ;;
    # Those of a foreign S3 server are what they are.
    NEWSCLF_S3_KEY) expect '[^ "'\''$]{3,}' 'the id of an S3 key: 3 characters or more, without spaces, quotes and $' ;;
    NEWSCLF_S3_SECRET) expect '[^ "'\''$]{8,}' 'the secret of an S3 key: 8 characters or more, without spaces, quotes and $' ;;
    NEWSCLF_ADMIN_PASSWORD | NEWSCLF_DB_PASSWORD | NEWSCLF_DB_ROOT_PASSWORD | NEWSCLF_SESSION_SECRET)
      expect '[A-Za-z0-9_-]{12,}' "$password" ;;
    COMPOSE_FILE) compose_file=$value ;;
    COMPOSE_*) ;;
    *) refuse "nothing is called $name; the names are in infra/init-env.sh and docs/backend.md" ;;
  esac
done < "$file"
number=
for name in $needed; do
  case $seen in *" $name "*) ;; *) refuse "$name is missing: infra/init-env.sh writes a file that has everything" ;; esac
done
case $compose_file in
  *s3.yml*) case $seen in *" NEWSCLF_S3_ENDPOINT "*) ;; *) refuse "NEWSCLF_S3_ENDPOINT is missing: COMPOSE_FILE asks for it" ;; esac ;;
esac
if [ "${tls:-internal}" = acme ]; then
  case $site in *.*) ;; *) refuse "NEWSCLF_TLS=acme needs a public NEWSCLF_SITE, not '${site:-localhost}'" ;; esac
fi
