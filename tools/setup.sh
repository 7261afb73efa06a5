# Sourced by ./run and ./test: installs what is missing and builds. Quiet when there is nothing to do.

build_packages=(g++ cmake ninja-build make ccache mold binutils libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev libpq-dev libmariadb-dev
  libsqlite3-dev zlib1g-dev libzstd-dev libarchive-dev libcli11-dev libspdlog-dev libfmt-dev libyaml-cpp-dev libargon2-dev libre2-dev libcrypt-dev libgtest-dev ca-certificates)
test_packages=(postgresql postgresql-client mariadb-server chromium fonts-dejavu-core clang libclang-rt-14-dev clang-format python3 python3-yaml nginx wrk)

package_packages=(dpkg-dev file patchelf buildah apt-utils debootstrap systemd-container shellcheck)

say() { echo "basalt: $*" >&2; }
fail() { echo "basalt: $*" >&2; exit 1; }

# Runs a command quietly; shows what it printed only when it fails.
quietly() {
  local what=$1 log; shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    fail "$what failed (above)"
  fi
  rm -f "$log"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "installing packages needs root: run this as root, install sudo, or install by hand: $missing_packages"
  fi
}

missing_packages=""
# install_packages yes|no PACKAGE...
install_packages() {
  local install=$1 package; shift
  missing_packages=""
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing_packages+=" $package"
  done
  [ -n "$missing_packages" ] || return 0
  [ "$install" = yes ] || fail "missing packages (apt-get install$missing_packages)"
  say "installing$missing_packages"
  quietly "apt-get update" as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  # PostgreSQL's package would start a cluster of its own; tests start theirs.
  # shellcheck disable=SC2086
  quietly "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing_packages
}

node_is_new_enough() {
  local version major minor
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v} major=${version%%.*} minor=${version#*.} minor=${minor%%.*}
  [ "$major" -gt 20 ] || { [ "$major" = 20 ] && [ "$minor" -ge 19 ]; }
}

# Puts a Node.js of 20.19 or later, and an npm of 11 or later, first in PATH. Debian's own is older: then both come from npm.
setup_node() {
  local install=$1 tools="$PWD/build/tools" arch=x64 npm_major
  case "$(uname -m)" in aarch64|arm64) arch=arm64 ;; esac
  if command -v node >/dev/null && node_is_new_enough node && command -v npm >/dev/null; then
    npm_major=$(npm --version 2>/dev/null | cut -d. -f1)
    [ "${npm_major:-0}" -ge 11 ] && return 0
  fi
  if [ ! -x "$tools/node_modules/.bin/npm" ] || ! node_is_new_enough "$tools/node_modules/node-linux-$arch/bin/node"; then
    command -v npm >/dev/null || install_packages "$install" npm
    [ "$install" = yes ] || fail "Node.js 20.19 or later with npm 11 or later is missing"
    say "installing Node.js from npm"
    mkdir -p "$tools"
    quietly "npm install" npm install --no-audit --no-fund --no-save --ignore-scripts --prefix "$tools" "node-linux-$arch@22" npm@11
  fi
  export PATH="$tools/node_modules/node-linux-$arch/bin:$tools/node_modules/.bin:$PATH"
}

# setup_build yes|no: everything that a build needs.
setup_build() {
  install_packages "$1" "${build_packages[@]}"
  setup_node "$1"
  install_node_modules "$1" third_party
}

# npm ci, only when the lock file has changed since.
install_node_modules() {
  local install=$1 folder=$2 stamp="$2/node_modules/.installed-lock"
  cmp -s "$folder/package-lock.json" "$stamp" && return 0
  [ "$install" = yes ] || fail "npm packages are missing in $folder (npm ci --prefix $folder)"
  say "installing npm packages of $folder"
  (cd "$folder" && quietly "npm ci in $folder" npm ci --no-audit --no-fund)
  cp "$folder/package-lock.json" "$stamp"
}

# Builds the web app and packs it for the binary, when a source is newer than the last build.
build_web() {
  local stamp=build/web/assets.h
  if [ -f "$stamp" ] && [ -z "$(find web tools/embed_web.mjs -path web/node_modules -prune -o -path web/dist -prune -o -type f -newer "$stamp" -print -quit)" ]; then return 0; fi
  install_node_modules "${install:-yes}" web
  say "building the web app"
  (cd web && quietly "the web build" npm run --silent build)
  mkdir -p build
  quietly "packing the web app" node tools/embed_web.mjs "$PWD/web/dist" "$PWD/build/web"
}

# build_preset PRESET TARGET...
build_preset() {
  local preset=$1; shift
  [ -f "build/$preset/build.ninja" ] || { say "configuring build/$preset"; quietly "cmake" cmake --preset "$preset"; }
  # Whether anything is to do, only the build itself knows: so it is announced once it takes longer than a moment.
  local notice
  { sleep 2; say "building build/$preset: $*"; } &
  notice=$!
  quietly "the build of $preset" cmake --build --preset "$preset" --target "$@"
  { kill "$notice" && wait "$notice"; } 2>/dev/null || true
}
