import {createWriteStream, mkdirSync, writeFileSync} from 'node:fs'
import {once} from 'node:events'
import {randomBytes} from 'node:crypto'
import {join} from 'node:path'

const MEBIBYTE = 1024 * 1024

/** A small package of one shell command. */
export function packageText(name: string, command = 'true'): string {
  return `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: ${name}
  version: "1.0.0"
  description: Written by a benchmark
  author: atomctl
  tags: [bench]
spec:
  runtime:
    type: shell
  safety:
    mode: auto
  handlers:
    - name: work
      type: shell
      config:
        command: ${JSON.stringify(command)}
`
}

/** Writes `count` packages of their own names into a folder. */
export function writePackages(folder: string, count: number): void {
  mkdirSync(folder, {recursive: true})
  for (let index = 0; index < count; index += 1) {
    writeFileSync(join(folder, `bench-${index}.wpk.yaml`), packageText(`bench-${index}`))
  }
}

/** Writes a package folder with one file of random bytes, which no compression makes smaller. */
export async function writeLargePackage(folder: string, mebibytes: number): Promise<void> {
  mkdirSync(folder, {recursive: true})
  writeFileSync(join(folder, 'large.wpk.yaml'), packageText('large'))
  const file = createWriteStream(join(folder, 'payload.bin'))
  for (let written = 0; written < mebibytes; written += 1) {
    if (!file.write(randomBytes(MEBIBYTE))) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}
