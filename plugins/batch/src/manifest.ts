import {dirname, isAbsolute, join} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import {readInput} from '@atomctl/sdk/files'
import {isFileReference, parseWorkflowId} from '@atomctl/sdk/packages'
import * as z from 'zod'
import type {Task} from './item.ts'

const LIMIT = 8 << 20

const entry = z.union([
  z.string().min(1),
  z.strictObject({path: z.string().min(1), parameters: z.record(z.string(), z.json()).optional()}),
  z.strictObject({id: z.string().min(1), parameters: z.record(z.string(), z.json()).optional()}),
])
const manifest = z.strictObject({packages: z.array(entry)})

/**
 * Reads a manifest, YAML or JSON: `packages`, each a path (relative to the manifest), a pattern, a workflow ID, or a
 * mapping that gives `batch run` parameters with it.
 * @throws CONFIG_INVALID naming the place, INPUT_MISSING, INPUT_UNREADABLE
 */
export async function readManifest(path: string): Promise<Task[]> {
  const bytes = await readInput(path, LIMIT)
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value, findings} = parseYaml(bytes, path)
  const broken = findings.find(({severity}) => severity === 'error')
  if (broken) throw invalid(path, broken.message, broken.position?.line)
  const parsed = manifest.safeParse(value)
  if (parsed.success) return parsed.data.packages.map((one) => taskOf(one, dirname(path)))
  const [issue] = parsed.error.issues
  throw invalid(path, `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'not understood'}`)
}

function taskOf(one: z.infer<typeof entry>, directory: string): Task {
  if (typeof one === 'string') return {subject: isId(one) ? one : within(directory, one)}
  const subject = 'id' in one ? one.id : within(directory, one.path)
  return {subject, ...(one.parameters ? {parameters: one.parameters} : {})}
}

function isId(text: string): boolean {
  return parseWorkflowId(text) !== undefined && !isFileReference(text)
}

function within(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path)
}

function invalid(path: string, why: string, line?: number): AtomError {
  const place = line === undefined ? path : `${path}:${line}`
  return new AtomError('CONFIG_INVALID', `${place}: ${why}`, {
    hint: 'a manifest is "packages:" with a list of paths, or of {path: …, parameters: {…}}',
  })
}
