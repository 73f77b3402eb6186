#!/bin/sh
# Writes what one asks first when a host misbehaves. POSIX sh; a tool that is absent is said to be absent.
set -eu

report=$1
limit=${TOP_PROCESSES:-5}

section() {
  printf '\n== %s\n' "$1"
}

optional() {
  if command -v "$1" >/dev/null 2>&1; then "$@"; else echo "$1 is not installed"; fi
}

{
  section 'host'
  uname -a
  section 'uptime and load'
  optional uptime
  section 'file systems'
  df -h
  section "the $limit busiest processes"
  if command -v ps >/dev/null 2>&1; then
    ps -eo pid,pcpu,comm | sort -k2 -rn | head -n "$limit"
  else
    echo 'ps is not installed'
  fi
} >"$report"

echo "wrote $report: $(wc -l <"$report") lines"
