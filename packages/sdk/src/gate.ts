import type {VerifiedDocument} from '@atomctl/wpk/trust'
import type {LocalPackage} from './packages/index.ts'

/**
 * What a command class declares as `static signature` so that the prerun hook verifies the packages it names
 * before it runs. Plugins' commands declare it the same way.
 */
export interface SignatureRequirement {
  /** The argument that names them; with `static strict = false`, every argument. */
  readonly arg: string
  /** What the argument is: a local file, a workflow id in the registry, or either. */
  readonly accepts: 'file' | 'workflow' | 'file-or-workflow'
  /** How the command says that a package is unsigned, before the reason. */
  readonly unsigned?: string
}

/** A package that satisfied every policy in force. */
export type VerifiedPackage = VerifiedFile | VerifiedWorkflow

export interface VerifiedFile {
  readonly origin: 'file'
  readonly verified: VerifiedDocument
  readonly package: LocalPackage
}

export interface VerifiedWorkflow {
  readonly origin: 'registry'
  readonly verified: VerifiedDocument
  readonly id: string
  /** `wpk_content` exactly as the registry wrote it. */
  readonly contentText: string
}

/** The token the prerun hook leaves: which command may go on, and with which packages. */
export interface GatePass {
  readonly commandId: string
  readonly packages: ReadonlyMap<string, VerifiedPackage>
}
