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
# Under its name stands only what is whole. What is being made is a hidden folder, whose lock is held by the call that
# makes it: one that nobody holds was left by a call that was killed.
part="$folder/.$name.part"
if command -v flock > /dev/null; then
  exec 8< "$infra/backup.sh"
  flock 8  # one begins at a time
  for stale in "$folder"/.20??-??-??T??-??-??Z.part; do
    if [ -d "$stale" ] && { [ "$stale" != "$part" ] || [ -e "$part/lock" ]; }; then
      (flock -n 9 && rm -rf "$stale" && echo "$stale is removed: a backup was killed" >&2) 9>> "$stale/lock" || true
    fi
  done
fi
[ ! -e "$folder/$name" ] || die "$folder/$name is there already"
mkdir "$part" 2> /dev/null || die "another backup is being made there just now: $part"
trap 'rm -rf "$part"' EXIT
exec 9> "$part/lock"
if command -v flock > /dev/null; then
  flock -n 9
  exec 8<&-
fi

# Each in a process group of its own, so that nothing of it outlives this script, whatever ends that.
set -m
running=
end() {
  exec 2> /dev/null  # the shell would say which of them it ends
  [ -z "$running" ] || kill -TERM -- "-$running" || true
  rm -rf "$part"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
in_group() {
  local status=0
  "$@" < /dev/null 9>&- &
  running=$!
  wait "$running" || status=$?
  running=
  return "$status"
}
database() { sql_dump | gzip; }

# The order keeps every name valid. A permission is given to an experiment that is there, so logins come before the
# database; an artifact is in the bucket before the database calls its model or run finished, so the bucket comes last:
# what was uploaded meanwhile is more than the database names, never less.
in_group login dump > "$part/login.db" || die "the login database could not be copied"
in_group database > "$part/database.sql.gz" || die "the database could not be dumped"
in_group bucket pull > "$part/bucket.tar" || die "the bucket could not be copied"

(cd "$part" && sha256sum login.db database.sql.gz bucket.tar > SHA256SUMS)
sync "$part"/*
mv "$part" "$folder/$name"
rm "$folder/$name/lock"
echo "$folder/$name"

if [ "$kept" -gt 0 ]; then
  # Names sort by time.
  find "$folder" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??T??-??-??Z' | sort -r | tail -n "+$((kept + 1))" |
    while read -r old; do
      gone="$folder/.${old##*/}.part"
      mv "$old" "$gone" && rm -rf "$gone"
    done
fi
