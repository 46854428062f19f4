# shellcheck shell=bash
# The three stores of the backend, as backup.sh and restore.sh use them: `sql_dump`, `sql`, `bucket`, `login`.
#
# The compose stack by default. With NEWSCLF_DB_OPTIONS, plain endpoints:
#   NEWSCLF_DB_OPTIONS        an option file of the MySQL client: [client] host, port, user, password
#   NEWSCLF_DB_NAME           the database (default: mlflow)
#   NEWSCLF_LOGIN_DATABASE    the file of the login database
#   NEWSCLF_BUCKET, MLFLOW_S3_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION
#   NEWSCLF_PYTHON            a Python with boto3 (default: python3)

infra=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

# One snapshot, without locks, so that the server writes on meanwhile. No tablespaces: they need a right of the whole server.
dump_options="--single-transaction --quick --no-tablespaces --skip-lock-tables --default-character-set=utf8mb4 --hex-blob"

if [ -n "${NEWSCLF_DB_OPTIONS:-}" ]; then
  [ -r "$NEWSCLF_DB_OPTIONS" ] || die "NEWSCLF_DB_OPTIONS: there is no file $NEWSCLF_DB_OPTIONS"
  [ -n "${NEWSCLF_LOGIN_DATABASE:-}" ] || die "NEWSCLF_LOGIN_DATABASE is empty: name the file of the login database"
  database=${NEWSCLF_DB_NAME:-mlflow}
  python=${NEWSCLF_PYTHON:-python3}
  client() {  # MariaDB's own name for a tool, or MySQL's
    command -v "$1" || command -v "$2" || die "neither $1 nor $2 is installed: apt install mariadb-client"
  }
  dump_tool=$(client mariadb-dump mysqldump)
  sql_tool=$(client mariadb mysql)
  # shellcheck disable=SC2086
  sql_dump() { "$dump_tool" --defaults-extra-file="$NEWSCLF_DB_OPTIONS" $dump_options "$database"; }
  sql() { "$sql_tool" --defaults-extra-file="$NEWSCLF_DB_OPTIONS" --default-character-set=utf8mb4 --batch --skip-column-names "$database"; }
  bucket() { "$python" "$infra/bucket/mirror.py" "$@"; }
  login() { "$python" "$infra/mlflow/login.py" "$@"; }
  quiet() { :; }
  resume() { :; }
else
  compose() { (cd "$infra" && docker compose "$@"); }
  in_db() {  # the password is in the container's environment, and stays there
    # shellcheck disable=SC2016
    compose exec -T db sh -c 'MYSQL_PWD="$MYSQL_PASSWORD" exec "$@"' sh "$@"
  }
  # shellcheck disable=SC2086
  sql_dump() { in_db mysqldump --user=mlflow $dump_options mlflow; }
  sql() { in_db mysql --user=mlflow --default-character-set=utf8mb4 --batch --skip-column-names mlflow; }
  bucket() { compose run --rm --no-deps -T --entrypoint python mlflow /app/mirror.py "$@"; }
  login() { compose run --rm --no-deps -T --entrypoint python mlflow /app/login.py "$@"; }
  # Nobody writes during a restore. The proxy's health follows the server's.
  quiet() { compose stop proxy mlflow; }
  resume() { compose up --detach --wait; }
fi
