import {loadSources, processEnvironment} from '@atomctl/sdk/config'
import {AtomContext, setContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import type {Hook} from '@oclif/core/hooks'
import {rememberRun} from '../../lib/current-run.ts'
import {interruption} from '../../lib/interruption.ts'

/**
 * Loads and checks the configuration files. A broken file does not stop here: `config`, `doctor`, `help` and
 * `--version` must work with it; every other command meets the error when it asks for a setting.
 */
const hook: Hook.Init = async function ({config}) {
  try {
    const environment = processEnvironment()
    const sources = await loadSources(environment, process.cwd()).catch((error: unknown) => {
      if (isAtomError(error)) return error
      throw error
    })
    const userAgent = `atomctl/${config.version} node/${process.versions.node}`
    const atom = new AtomContext({environment, sources, interruption, userAgent})
    setContext(config, atom)
    rememberRun({atom, version: config.version})
  } catch (error) {
    // only an error that carries an exit code gets out of a hook
    this.error(error as Error, {exit: 1})
  }
}

export default hook
