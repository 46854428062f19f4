#!/usr/bin/env bash
# A consistent copy of the backend, taken while it runs:  infra/backup.sh [folder]    (default: backups/ in this repository)
# makes folder/<UTC time>/ with login.db, database.sql.gz, bucket.tar and SHA256SUMS. Where the stores are: see stores.sh.
# NEWSCLF_BACKUPS_KEPT=14 removes all but the newest 14 when the new one is whole.
set -euo pipefail
umask 077
# shellcheck source=stores.sh
. "$(dirname "$0")/stores.sh"

kept=${NEWSCLF_BACKUPS_KEPT:-0}
[[ $kept =~ ^[0-9]+$ ]] || die "NEWSCLF_BACKUPS_KEPT is '$kept': a number; 0 keeps all"
folder=${1:-$infra/../backups}
mkdir -p "$folder" || die "$folder cannot be made"
folder=$(cd "$folder" && pwd)
name=$(date -u +%Y-%m-%dT%H-%M-%SZ)
[ ! -e "$folder/$name" ] || die "$folder/$name is there already"
# Under its name stands only what is whole.
part="$folder/.$name.part"
mkdir "$part" 2> /dev/null || die "another backup is being made there just now: $part"
trap 'rm -rf "$part"' EXIT

# The order keeps every name valid. A permission is given to an experiment that is there, so logins come before the
# database; an artifact is in the bucket before the database calls its model or run finished, so the bucket comes last:
# what was uploaded meanwhile is more than the database names, never less.
login dump > "$part/login.db" || die "the login database could not be copied"
sql_dump | gzip > "$part/database.sql.gz" || die "the database could not be dumped"
bucket pull > "$part/bucket.tar" || die "the bucket could not be copied"

(cd "$part" && sha256sum login.db database.sql.gz bucket.tar > SHA256SUMS)
sync "$part"/*
mv "$part" "$folder/$name"
echo "$folder/$name"

if [ "$kept" -gt 0 ]; then
  # Names sort by time.
  find "$folder" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??T??-??-??Z' | sort -r | tail -n "+$((kept + 1))" |
    while read -r old; do rm -rf "$old"; done
fi
