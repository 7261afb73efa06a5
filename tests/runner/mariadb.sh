# Sourced: a private MariaDB on loopback for the tests. Sets BASALT_TEST_MYSQL, the URI of a user there who may do all, and
# BASALT_TEST_MYSQL_TLS, a folder with ca.pem, client.pem and client-key.pem that the server's certificate goes with.

mariadb_directory="" mariadb_user=mysql

mariadb_as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid="$mariadb_user" --regid="$mariadb_user" --clear-groups env HOME=/tmp LC_ALL=C.UTF-8 "$@"; else "$@"; fi; }

# A certificate authority, the server's certificate for localhost and 127.0.0.1, and one of a client.
mariadb_certificates() {
  local folder=$1 name
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=Basalt test authority" -keyout "$folder/ca-key.pem" -out "$folder/ca.pem" 2>/dev/null || return 1
  for name in server client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$folder/$name-key.pem" -out "$folder/$name.csr" 2>/dev/null || return 1
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$folder/$name.ext"
    openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -CAcreateserial -days 2 -extfile "$folder/$name.ext" -out "$folder/$name.pem" 2>/dev/null || return 1
  done
  chmod 644 "$folder"/*.pem
}

# mariadb_start DIRECTORY
mariadb_start() {
  local port zones
  command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null || { echo "MariaDB is not installed" >&2; return 1; }
  mariadb_directory=$1
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 20000)))
  mkdir -p "$mariadb_directory/tls"
  mariadb_certificates "$mariadb_directory/tls" || { echo "openssl made no certificates" >&2; return 1; }
  [ "$(id -u)" != 0 ] || chown -R "$mariadb_user" "$mariadb_directory"
  mariadb_as mariadb-install-db --no-defaults --datadir="$mariadb_directory/data" --auth-root-authentication-method=normal --skip-test-db --skip-log-bin >"$mariadb_directory/install.log" 2>&1 ||
    { cat "$mariadb_directory/install.log" >&2; return 1; }
  cat >"$mariadb_directory/my.cnf" <<CONF
[mariadbd]
datadir = $mariadb_directory/data
bind-address = 127.0.0.1
port = $port
socket = $mariadb_directory/server.sock
pid-file = $mariadb_directory/server.pid
log-error = $mariadb_directory/server.log
ssl-ca = $mariadb_directory/tls/ca.pem
ssl-cert = $mariadb_directory/tls/server.pem
ssl-key = $mariadb_directory/tls/server-key.pem
secure-file-priv = $mariadb_directory/data
innodb-flush-log-at-trx-commit = 0
innodb-buffer-pool-size = 256M
max-connections = 200
skip-name-resolve
CONF
  mariadb_as mariadbd --defaults-file="$mariadb_directory/my.cnf" >/dev/null 2>&1 &
  disown
  local tries=0
  until mariadb_client -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$mariadb_directory/server.log" >&2; return 1; }
    sleep 0.1
  done
  # All time zones but one: a test wants a zone that this server does not know.
  { mariadb-tzinfo-to-sql /usr/share/zoneinfo 2>/dev/null; echo "DELETE FROM time_zone_name WHERE Name = 'Australia/Sydney';"; } |
    mariadb_client mysql >"$mariadb_directory/zones.log" 2>&1 || { cat "$mariadb_directory/zones.log" >&2; return 1; }
  mariadb_client -e "CREATE USER basalt@'%' IDENTIFIED BY 'basalt'; GRANT ALL ON *.* TO basalt@'%' WITH GRANT OPTION" || return 1
  BASALT_TEST_MYSQL="mysql://basalt:basalt@127.0.0.1:$port/"
  BASALT_TEST_MYSQL_TLS="$mariadb_directory/tls"
}

mariadb_client() { mariadb --no-defaults --socket="$mariadb_directory/server.sock" --user=root "$@"; }

mariadb_stop() {
  [ -n "$mariadb_directory" ] && [ -f "$mariadb_directory/server.pid" ] || return 0
  local pid; pid=$(cat "$mariadb_directory/server.pid" 2>/dev/null) || return 0
  kill -9 "$pid" 2>/dev/null || true
}
