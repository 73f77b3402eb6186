import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import type {BlastLimit, SafetyRules} from '@atomctl/runtime'
import {AtomError} from '@atomctl/sdk/errors'
import * as z from 'zod'

/** The safety rules as they are on the disk now, so that a freeze declared a moment ago counts. */
export type SafetySource = () => Promise<SafetyRules>

/** Reads the file for every question. @throws CONFIG_INVALID, INPUT_UNREADABLE from the source it returns. */
export function createSafetySource(path: string | undefined): SafetySource {
  if (path === undefined) return () => Promise.resolve({})
  // Services outlive the directory they were started in.
  const file = resolve(path)
  return async () => {
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw new AtomError('INPUT_UNREADABLE', `cannot read the safety policy ${file}`, {cause})
    })
    return readRules(bytes, file)
  }
}

async function readRules(bytes: Uint8Array, file: string): Promise<SafetyRules> {
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value, findings} = parseYaml(bytes, file)
  const broken = findings.find(({severity}) => severity === 'error')
  if (broken) throw invalid(file, `${broken.message}${broken.position ? ` (line ${broken.position.line})` : ''}`)
  const {data, error} = (await rulesSchema()).safeParse(value ?? {})
  if (data) return rulesOf(data)
  const [issue] = error.issues
  throw invalid(file, `${issue?.path.join('.') || 'the document'}: ${issue?.message}`)
}

async function rulesSchema() {
  const {parseDuration} = await import('@atomctl/wpk/document')
  const instant = z.iso.datetime({offset: true, error: 'must be a quoted time such as "2026-12-20T00:00:00Z"'})
  const duration = z
    .string()
    .transform((text) => parseDuration(text) ?? 0)
    .refine((milliseconds) => milliseconds > 0, 'must be a duration such as 24h')
  const window = z
    .strictObject({from: instant, to: instant, reason: z.string().min(1).max(1000)})
    .refine(({from, to}) => new Date(from) < new Date(to), 'must end after it begins')
  return z.strictObject({
    approvals: z
      .strictObject({quorum: z.number().int().min(1).max(100).optional(), expiry: duration.optional()})
      .optional(),
    freeze: z.array(window).max(1000).optional(),
    limits: z.array(limitSchema()).max(1000).optional(),
  })
}

function limitSchema() {
  const names = z.array(z.string().min(1).max(253)).min(1).max(1000).optional()
  const count = z.number().int().min(0).optional()
  return z.strictObject({
    contexts: names,
    handlers: names,
    namespaces: names,
    max_replicas: count,
    max_objects: count,
    max_pods: count,
  })
}

type Rules = z.infer<Awaited<ReturnType<typeof rulesSchema>>>

function rulesOf({approvals = {}, freeze = [], limits}: Rules): SafetyRules {
  const {quorum, expiry} = approvals
  return {
    ...(quorum === undefined ? {} : {quorum}),
    ...(expiry === undefined ? {} : {approvalExpiryMs: expiry}),
    freezes: freeze.map(({from, to, reason}) => ({from: new Date(from), to: new Date(to), reason})),
    ...(limits === undefined ? {} : {limits: limits.map(limitOf)}),
  }
}

function limitOf({max_replicas, max_objects, max_pods, ...lists}: NonNullable<Rules['limits']>[number]): BlastLimit {
  const counts = {maxReplicas: max_replicas, maxObjects: max_objects, maxPods: max_pods}
  const given = Object.entries({...lists, ...counts}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as BlastLimit
}

function invalid(file: string, problem: string): AtomError {
  return new AtomError('CONFIG_INVALID', `the safety policy ${file} cannot be used: ${problem}`, {
    hint: 'approvals: {quorum: 2, expiry: 24h}; freeze: a list of from, to and reason; limits: a list of contexts, namespaces, max_pods …',
  })
}
