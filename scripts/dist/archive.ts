import {runProgram} from './program.ts'
import {buildDate} from './time.ts'

/**
 * Packs `name` of `parent` into `file` (.tar.gz). The same files give the same bytes, whoever packs them and when: sorted,
 * owned by root, all of the release's time, modes without a umask's traces, and no time in the gzip header. Needs GNU tar.
 */
export function packFolder(parent: string, name: string, file: string): void {
  const fixed = ['--sort=name', '--format=gnu', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX']
  const time = `--mtime=@${Math.floor(buildDate().getTime() / 1000)}`
  runProgram('tar', [...fixed, time, '--use-compress-program=gzip -n', '-cf', file, '-C', parent, name])
}
