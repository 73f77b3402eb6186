#!/usr/bin/env bash
# Any CI system, or a person: check, sign with a key, show what signed it, push, and try each package without changing
# anything. Stops at the first failure; the exit code says which kind it was (docs/errors.md).
#
#   COSIGN_PASSWORD=… ATOMCTL_KEY=release.key release.sh runbooks
set -euo pipefail

packages=${1:-runbooks}

atomctl validate "$packages" --strict
atomctl batch sign "$packages"
atomctl batch verify "$packages"
atomctl batch push "$packages"

for id in $(atomctl validate "$packages" -o name); do
  atomctl run "$id" --dry-run --wait
done
