import {chmodSync, copyFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {nodeBinary} from './node-binary.ts'
import {CLIENT, restage} from './stage.ts'
import type {Target} from './targets.ts'

/**
 * Not oclif's launcher, which needs bash and dirname on the PATH and prefers a program in the user's data folder to the one
 * that was called. This one needs a POSIX shell alone, and readlink where it is called through a link. Opening a key
 * takes 64 MiB by design (scrypt): glibc has them in large pages when told so, which takes a few page faults in place
 * of sixteen thousand. Another C library, or a kernel that has none, overlooks it.
 */
export const LAUNCHER = `#!/bin/sh
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") ;; esac
while [ -h "$self" ]; do
  link=$(command -p readlink -- "$self") || exit 1
  case $link in /*) self=$link ;; *) self=\${self%/*}/$link ;; esac
done
here=\${self%/*}
case \${1-} in
  sign | keys | pack | batch) export GLIBC_TUNABLES="glibc.malloc.hugetlb=1\${GLIBC_TUNABLES:+:$GLIBC_TUNABLES}" ;;
esac
exec "$here/node" "$here/run.js" "$@"
`

const WINDOWS_LAUNCHER = '@echo off\r\n"%~dp0node.exe" "%~dp0run.js" %*\r\n'

/** Lays out in `folder` what runs where no Node is: the client, Node's executable and a launcher. */
export function stageStandalone(folder: string, target: Target, kind: 'standalone' | 'deb'): void {
  restage(CLIENT, folder, kind)
  const binary = join(folder, 'bin', target.executable)
  copyFileSync(nodeBinary(target), binary)
  chmodSync(binary, 0o755)
  if (target.executable === 'node.exe') {
    writeFileSync(join(folder, 'bin', 'atomctl.cmd'), WINDOWS_LAUNCHER)
  } else {
    writeFileSync(join(folder, 'bin', 'atomctl'), LAUNCHER, {mode: 0o755})
  }
}
