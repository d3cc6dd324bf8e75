#!/usr/bin/env bash
# meridian.sh: the one entry point. Works from any directory, on a fresh Debian 12 as well as on a
# prepared machine: what is missing is installed first, what is there is left alone.
# stdout is the result of the command; what the script has to say goes to stderr.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
commands=(dev test build bench clean)

# Debian packages: what the binary needs, and what only the tests and lints need.
build_packages=(g++ cmake ninja-build ccache libssl-dev libsecp256k1-dev libboost1.81-dev
  libboost-json1.81-dev libboost-system1.81-dev libspdlog-dev libgtest-dev libbenchmark-dev libcli11-dev librocksdb-dev zlib1g-dev
  libtomlplusplus-dev prometheus-cpp-dev libzstd-dev libsnappy-dev libjemalloc-dev ca-certificates)
test_packages=(clang-19 clang-format-19 libclang-rt-19-dev g++-riscv64-linux-gnu qemu-user googletest
  git python3 xz-utils)
test_jobs=(lint build unit sim spec functional asan fuzz guest)

say() { printf 'meridian.sh: %s\n' "$*" >&2; }

usage() {
  cat <<'TEXT'
Usage: ./meridian.sh COMMAND [ARGUMENTS]

  dev [ARGS]   build, then serve a development chain on port 8545 (ARGS: see `dev --help`)
  build        build the binary: build/release/bin/meridian
  test         every check of CI; the last line is `N passed, N failed`
  bench [--run TEXT]
               build, then run the benchmarks: all rows, or those whose name contains TEXT (that of
               the store has no such rows and always runs)
  clean        remove what was built (build/ except the unpacked test data)
  --help       this text

Single checks: tools/ci --list. Test data are looked for in $MERIDIAN_TESTDATA, else build/testdata.
TEXT
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# require_packages NAME...: installs what is missing; apt is not called when nothing is.
require_packages() {
  local missing=() package as_root=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    say "missing: ${missing[*]}; this is no Debian, install their equivalents by hand"
    return 1
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { say "missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"; return 1; }
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get -qq update >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2
}

# node_modules holds C sources (c-kzg) as well as the clients of the tests: the build needs it too.
require_node_modules() {
  local stamp=$root/node_modules/.package-lock.json
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    require_packages nodejs npm
  fi
  [[ -f $stamp && ! $root/package-lock.json -nt $stamp ]] && return 0
  say "installing npm packages (package-lock.json)"
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  touch "$stamp"
}

require_build_tools() {
  require_packages "${build_packages[@]}"
  require_node_modules
}

build() {
  require_build_tools
  "$root/tools/ci" build >&2
}

run_dev() {
  build
  exec "$root/build/release/bin/meridian" dev "$@"
}

run_test() {
  require_packages "${build_packages[@]}" "${test_packages[@]}"
  require_node_modules
  exec "$root/tools/ci" "${test_jobs[@]}"
}

run_bench() {
  build
  exec "$root/tools/ci" bench "$@"
}

# The unpacked test data are kept: they are an input, not a product.
clean() {
  local entry
  shopt -s nullglob dotglob
  for entry in "$root"/build/*; do
    [[ ${entry##*/} == testdata ]] || rm -rf "$entry"
  done
}

unknown() {
  local candidate
  for candidate in "${commands[@]}"; do
    if [[ $candidate == "${1:0:1}"* || $1 == *"$candidate"* ]]; then
      say "unknown command '$1'; did you mean '$candidate'? (./meridian.sh --help)"
      exit 2
    fi
  done
  say "unknown command '$1'; there are: ${commands[*]} (./meridian.sh --help)"
  exit 2
}

# no_arguments COMMAND ARGUMENTS...
no_arguments() {
  (($# == 1)) || { say "'$1' takes no arguments, got '$2' (./meridian.sh --help)"; exit 2; }
}

# Whether help was asked for, among a command's arguments.
asks_help() {
  local argument
  for argument in "$@"; do
    [[ $argument == -h || $argument == --help ]] && return 0
  done
  return 1
}

# help COMMAND: shows what it takes, without building anything.
help() {
  local binary=$root/build/release/bin/meridian
  [[ $1 == dev && -x $binary ]] && exec "$binary" dev --help
  usage
}

command=${1:-}
(($#)) && shift
if [[ " ${commands[*]} " == *" $command "* ]] && asks_help "$@"; then
  help "$command"
  exit
fi
case $command in
  dev) run_dev "$@" ;;
  build) no_arguments build "$@"; build; printf '%s\n' "$root/build/release/bin/meridian" ;;
  test) no_arguments test "$@"; run_test ;;
  bench) run_bench "$@" ;;
  clean) no_arguments clean "$@"; clean ;;
  -h | --help | help) usage ;;
  '') usage >&2; exit 2 ;;
  *) unknown "$command" ;;
esac
