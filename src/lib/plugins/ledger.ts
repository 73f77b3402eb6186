import {existsSync, readFileSync} from 'node:fs'
import type {Environment} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import * as z from 'zod'
import {ledgerPath} from './ledger-path.ts'

const approvedPlugin = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  type: z.enum(['user', 'link']),
  /** The folder that is checked: an installed plugin's own tree with its dependencies, or the linked directory. */
  root: z.string().min(1),
  /** What was typed to install it; `update` asks for it again. */
  spec: z.string().optional(),
  /** sha512 of the tarball it came from, as npm writes it. */
  integrity: z.string().optional(),
  /** Who was found to have signed that tarball. */
  signers: z.array(z.string()),
  /** sha512 over every file below `root`; a linked directory has none, its author changes it all the time. */
  digest: z.string().optional(),
})

/** One plugin as it was when it was approved. */
export type ApprovedPlugin = z.infer<typeof approvedPlugin>

const ledger = z.strictObject({apiVersion: z.literal('atomctl.dev/plugins/v1'), plugins: z.array(approvedPlugin)})

/** Reads the ledger; none is an empty one. @throws PLUGIN_TRUST_INVALID */
export function readLedger(environment: Environment): ApprovedPlugin[] {
  const path = ledgerPath(environment)
  if (!existsSync(path)) return []
  try {
    return ledger.parse(JSON.parse(readFileSync(path, 'utf8'))).plugins
  } catch (cause) {
    throw new AtomError('PLUGIN_TRUST_INVALID', `${path} cannot be read: it does not say which plugins are approved`, {
      hint: 'move it away and install the plugins again: atomctl plugins install NAME',
      cause,
    })
  }
}

/** Replaces the entry of this name, in one step. @throws PLUGIN_TRUST_INVALID, OUTPUT_FAILED */
export async function recordPlugin(environment: Environment, plugin: ApprovedPlugin): Promise<void> {
  const others = readLedger(environment).filter(({name}) => name !== plugin.name)
  await writeLedger(environment, [...others, plugin])
}

/** Removes the entry of this name. */
export async function forgetPlugin(environment: Environment, name: string): Promise<void> {
  await writeLedger(
    environment,
    readLedger(environment).filter((plugin) => plugin.name !== name),
  )
}

async function writeLedger(environment: Environment, plugins: readonly ApprovedPlugin[]): Promise<void> {
  const {writeFileSafely} = await import('@atomctl/sdk/files')
  const sorted = plugins.toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
  const text = `${JSON.stringify({apiVersion: 'atomctl.dev/plugins/v1', plugins: sorted}, undefined, 2)}\n`
  await writeFileSafely(ledgerPath(environment), text, {mode: 0o600, directoryMode: 0o700})
}
