# Sourced: a private PostgreSQL on loopback for the tests. Sets BASALT_TEST_POSTGRES, the URI of a superuser there.

postgres_directory="" postgres_user="" postgres_memory=""

postgres_as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid="$postgres_user" --regid="$postgres_user" --clear-groups env HOME=/tmp LC_ALL=C.UTF-8 "$@"; else "$@"; fi; }

# Where the cluster lies: in memory when there is plenty (databases are made five times as fast there), else in DIRECTORY.
postgres_place() {
  local free available
  free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1 || true) available=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo || true)
  if [ -w /dev/shm ] && [ "${free:-0}" -gt 4000000 ] && [ "${available:-0}" -gt 6000000 ]; then
    postgres_memory=$(mktemp -d /dev/shm/basalt-postgres-XXXXXX)
    chmod 755 "$postgres_memory"
    postgres_directory=$postgres_memory/cluster
  else
    postgres_directory=$1
  fi
}

# postgres_start DIRECTORY
postgres_start() {
  local bin port
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$bin" ] || { echo "PostgreSQL is not installed" >&2; return 1; }
  postgres_user=postgres
  postgres_place "$1"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 20000)))
  mkdir -p "$postgres_directory"
  [ "$(id -u)" != 0 ] || chown "$postgres_user" "$postgres_directory"
  postgres_as "$bin/initdb" -D "$postgres_directory/data" -U basalt --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$postgres_directory/initdb.log" 2>&1 ||
    { cat "$postgres_directory/initdb.log" >&2; return 1; }
  # Everybody is trusted but this role, whose wrong password a test wants to be refused.
  sed -i '1i host all basalt_test_person 127.0.0.1/32 scram-sha-256' "$postgres_directory/data/pg_hba.conf"
  cat >>"$postgres_directory/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$postgres_directory'
fsync = off
max_connections = 200
shared_buffers = 256MB
jit = off
CONF
  postgres_as "$bin/pg_ctl" -D "$postgres_directory/data" -l "$postgres_directory/data/server.log" -w -t 60 start >/dev/null || { cat "$postgres_directory/data/server.log" >&2; return 1; }
  BASALT_TEST_POSTGRES="postgres://basalt@127.0.0.1:$port/postgres"
}

postgres_stop() {
  local bin
  if [ -n "$postgres_directory" ] && [ -f "$postgres_directory/data/postmaster.pid" ]; then
    bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    postgres_as "$bin/pg_ctl" -D "$postgres_directory/data" -m immediate -w stop >/dev/null 2>&1 || true
  fi
  [ -z "$postgres_memory" ] || rm -rf "$postgres_memory"
}
