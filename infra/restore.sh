#!/usr/bin/env bash
# Brings an empty backend to the state of a backup:  infra/restore.sh <folder of backup.sh> [--force]
# --force replaces what is there: tables, logins, and objects that the backup does not have (versions of them stay).
# Plain endpoints (see stores.sh): stop the MLflow server before.
set -euo pipefail
umask 077
# shellcheck source=stores.sh
. "$(dirname "$0")/stores.sh"

force=
from=
for argument in "$@"; do
  case $argument in
    --force) force=--force ;;
    -*) die "$argument is no option: restore.sh <folder> [--force]" ;;
    *) from=$argument ;;
  esac
done
[ -n "$from" ] || die "which backup? restore.sh <folder> [--force]"
[ -f "$from/SHA256SUMS" ] || die "$from is no backup: it has no SHA256SUMS"
from=$(cd "$from" && pwd)
for file in login.db database.sql.gz bucket.tar; do
  grep -q " $file\$" "$from/SHA256SUMS" || die "$from/SHA256SUMS does not name $file: the backup is not whole"
done
(cd "$from" && sha256sum --check --quiet --strict SHA256SUMS) || die "$from is damaged: nothing was changed"

number() {  # of a command that counts
  local found
  found=$("$@") || die "$1 does not answer: is the backend running?"
  [[ $found =~ ^[0-9]+$ ]] || die "$1 answers '$found' where a number was asked for"
  echo "$found"
}
tables() { echo "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()" | sql; }
# A server that has only been started has its tables, the experiment 0 and the administrator.
records() {
  echo "SELECT (SELECT COUNT(*) FROM runs) + (SELECT COUNT(*) FROM registered_models)
    + (SELECT COUNT(*) FROM experiments WHERE experiment_id <> 0)" | sql
}
if [ -z "$force" ]; then
  objects=$(number bucket count)
  users=$(number login count)
  runs=0
  [ "$(number tables)" -eq 0 ] || runs=$(number records)
  if [ "$objects" -gt 0 ] || [ "$users" -gt 1 ] || [ "$runs" -gt 0 ]; then
    die "the backend is not empty ($runs runs, models and experiments; $objects objects; $users users):" \
      "--force replaces all of it, nothing was changed"
  fi
fi

quiet
# The database last: until it is there, nothing names what may still be missing.
bucket push $force < "$from/bucket.tar" || die "the bucket could not be filled; call again with --force"
login load < "$from/login.db" || die "the logins could not be restored; call again with --force"
{
  echo "SET FOREIGN_KEY_CHECKS = 0;"
  # All tables: the backup's own DROPs know nothing of those of a later MLflow.
  # shellcheck disable=SC2016
  echo 'SELECT CONCAT("DROP TABLE `", table_name, "`;") FROM information_schema.tables WHERE table_schema = DATABASE()' | sql
} | sql || die "the tables could not be dropped; call again with --force"
gunzip --stdout "$from/database.sql.gz" | sql || die "the database could not be loaded; call again with --force"
resume
echo "restored from $from"
