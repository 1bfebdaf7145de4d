#!/usr/bin/env bash
# Runs a command with TEST_DATABASE_URL naming a PostgreSQL of its own: the system's newest one, on a temporary
# directory, on loopback TCP with passwords, for a role that may create databases and nothing more.
# As root the server runs as "postgres". Usage: scripts/with-postgres.sh npm test
set -euo pipefail

find_binaries () {
  local directory
  directory=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$directory" ]; then echo "$directory"; else dirname "$(command -v initdb)"; fi
}

as_database_user () {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

binaries=$(find_binaries) || { echo 'no initdb found: install PostgreSQL (Debian: postgresql)' >&2; exit 1; }
folder=$(mktemp -d)
stop () {
  as_database_user "$binaries/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --silent || true
  rm -rf "$folder"
}
trap stop EXIT

mask=$(umask)
umask 077
password=$(node -p 'crypto.randomBytes(24).toString("hex")')
printf '%s\n' "$password" > "$folder/password"
if [ "$(id -u)" -eq 0 ]; then chown -R postgres "$folder"; fi
port=$(node -e 'const s = net.createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')

cd "$folder"
as_database_user "$binaries/initdb" --pgdata="$folder/data" --username=owner --pwfile="$folder/password" \
  --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-instructions --no-sync > /dev/null
as_database_user "$binaries/pg_ctl" start --pgdata="$folder/data" --log="$folder/log" --wait --silent \
  --options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c fsync=off -c max_connections=200"
PGPASSWORD=$password as_database_user "$binaries/psql" --host=127.0.0.1 --port="$port" --username=owner --dbname=postgres --quiet \
  --command="create role tester login createdb password '$password'"
cd "$OLDPWD"
umask "$mask"

TEST_DATABASE_URL="postgres://tester:$password@127.0.0.1:$port/postgres" "$@"
