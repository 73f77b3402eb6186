import {chmod, mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import {writeFailure} from '@atomctl/sdk/files'

/** Where the background services of one person keep their things. */
export interface Layout {
  /** `~/.atomctl/dev`, mode 0700. */
  readonly home: string
  /** Written by the services once they are ready, removed by them when they end. */
  readonly stateFile: string
  /** What the services print. */
  readonly logFile: string
  /** The token itself; only its owner reads it. */
  readonly tokenFile: string
  /** Its digest, which is all that the services get. */
  readonly digestFile: string
  /** The embedded database, unless another directory is named. */
  readonly dataDirectory: string
}

export function layoutOf(environment: Environment): Layout {
  const home = join(homeOf(environment), 'dev')
  return {
    home,
    stateFile: join(home, 'state.json'),
    logFile: join(home, 'services.log'),
    tokenFile: join(home, 'token'),
    digestFile: join(home, 'token.sha256'),
    dataDirectory: join(home, 'data'),
  }
}

/** Makes the directory, private also when it existed with a wider mode. @throws OUTPUT_FAILED */
export async function makePrivateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, {recursive: true, mode: 0o700})
    await chmod(directory, 0o700)
  } catch (error) {
    throw writeFailure(directory, error)
  }
}
