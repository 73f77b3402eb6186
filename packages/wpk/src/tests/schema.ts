import * as z from 'zod'

import {anything, closed, duration, mapping, text} from '../document/closed.ts'

/** The format of `*.wpktest.yaml` in zod: the one source of the checks, of the JSON Schema and of `explain wpktest`. */
const name = () => text().max(128)
const names = () => z.array(name())

const result = () =>
  closed({
    status: z.enum(['success', 'error']).optional().describe('How the attempt ends; otherwise the other keys say it'),
    exit_code: z
      .number()
      .int()
      .min(0)
      .max(255)
      .optional()
      .describe('Exit code of a command; other than 0 is a failure'),
    http_status: z.number().int().min(100).max(599).optional().describe('Status of the answer to an api handler'),
    output: anything().optional().describe('What is put out: text, or JSON such as the body of an answer'),
    outputs: mapping().optional().describe('Values for later handlers, by name'),
    error: text().optional().describe('Why the attempt fails'),
    duration: duration().optional().describe('How long the attempt takes by the clock of the test'),
    timeout: z.boolean().optional().describe('The attempt takes longer than the handler may'),
    fail_times: z.number().int().min(1).max(100).optional().describe('So many attempts fail before this one succeeds'),
    objects: z.array(mapping()).optional().describe('k8s: objects that are in the cluster'),
  })

const mock = () => z.union([result(), z.array(result()).min(1, 'must hold a result').max(100)])

const matcher = () =>
  z.union([
    z.string(),
    closed({
      equals: z.string().optional().describe('The whole text'),
      contains: z
        .union([text(), z.array(text())])
        .optional()
        .describe('A part of the text, or several'),
      not_contains: z
        .union([text(), z.array(text())])
        .optional()
        .describe('What must not be in it'),
      matches: text().optional().describe('Regular expression of JavaScript that must match somewhere'),
    }),
  ])

const call = () =>
  closed({
    shell: matcher().optional().describe('shell: the program that runs the command'),
    command: matcher().optional().describe('shell: the text of the command'),
    cwd: matcher().optional().describe('shell: where it runs'),
    env: names().optional().describe('shell: variables that are set, by name'),
    method: matcher().optional().describe('api: the method'),
    url: matcher().optional().describe('api: the URL with its placeholders filled'),
    headers: z.record(z.string(), matcher()).optional().describe('api: headers that are sent, whatever else is'),
    body: anything().optional().describe('api: the body; of a JSON body the keys that are named'),
    kubectl: z
      .union([matcher(), z.array(matcher())])
      .optional()
      .describe('k8s: the command lines, without flags that only this program adds'),
    input: anything().optional().describe('k8s: the manifest or patch that is sent; the keys that are named'),
    image: matcher().optional().describe('docker: the image'),
    plan: matcher().optional().describe('The lines that a dry run shows'),
  })

const calls = () =>
  closed({
    ...call().shape,
    count: z.number().int().min(0).optional().describe('Number of attempts'),
    attempts: z.array(call()).optional().describe('One entry for each attempt, in order'),
  })

export const STATUSES = [
  'completed',
  'failed',
  'rolled_back',
  'rollback_failed',
  'cancelled',
  'rejected',
  'pending',
  'refused',
] as const

const expectation = () =>
  closed({
    status: z.enum(STATUSES).optional().describe('How the execution ends; completed if nothing is said'),
    order: names().optional().describe('Every handler that ran, in order, rollback handlers after them'),
    rollbacks: names().optional().describe('Every rollback handler that ran, in order'),
    skipped: names().optional().describe('Every handler whose `when` did not hold'),
    calls: z.record(z.string(), calls()).optional().describe('What was run, by name of the handler'),
    outputs: mapping().optional().describe('Values that handlers put out, by name'),
    logs: z.array(text()).optional().describe('Texts that must be in the log'),
    redaction: z.array(text()).optional().describe('Texts that must be nowhere in logs, results and events'),
    error: closed({
      code: text().optional().describe('Error code, such as EXECUTION_FAILED or PARAMETER_INVALID'),
      message: matcher().optional().describe('Error message'),
    })
      .optional()
      .describe('How the failure is reported'),
    elapsed: closed({
      at_least: duration().optional().describe('Least time by the clock of the test'),
      at_most: duration().optional().describe('Most time by the clock of the test'),
    })
      .optional()
      .describe('How long the execution takes by the clock of the test'),
  })

const approval = () =>
  closed({
    by: text().optional().describe('Name of the person'),
    decision: z
      .enum(['approve', 'reject', 'expire'])
      .optional()
      .describe('What is decided; approve if nothing is said'),
    reason: text().optional().describe('Why'),
    after: duration().optional().describe('How long after the request'),
  })

const SITUATION = {
  parameters: mapping().optional().describe('Parameters of the execution'),
  secrets: z.record(z.string(), z.string()).optional().describe('Made-up values for parameters of type secret'),
  clock: closed({
    start: z
      .string()
      .refine((value) => !Number.isNaN(Date.parse(value)), 'must be an ISO 8601 time such as "2026-01-01T00:00:00Z"')
      .optional()
      .describe('Time at which the execution is asked for, quoted'),
    step: duration().optional().describe('How long an attempt takes if its mock says nothing'),
  })
    .optional()
    .describe('The clock of the test; nothing waits for real'),
  requested_by: text().optional().describe('Who asks for the execution'),
  quorum: z.number().int().min(1).max(20).optional().describe('How many different people have to approve'),
  approvals: z.array(approval()).optional().describe('Who decides what, in order'),
  mocks: z.record(z.string(), mock()).optional().describe('Results by name of the handler or rollback handler'),
}

const testCase = () =>
  closed({
    name: text().max(200).describe('What is shown, as a sentence'),
    ...SITUATION,
    cancel: closed({during: name().describe('Name of the handler')})
      .optional()
      .describe('Somebody cancels the execution while a handler runs'),
    expect: expectation().describe('What must come of it'),
  })

function buildSchema() {
  z.config({jitless: true})
  return closed({
    apiVersion: z.literal('v1').optional().describe('Version of the format'),
    kind: z.literal('WorkflowTest').optional().describe('Always WorkflowTest'),
    package: text().describe('The package: its *.wpk.yaml or its directory, from this file on'),
    defaults: closed(SITUATION).optional().describe('What every case begins with; mappings are merged'),
    cases: z.array(testCase()).min(1, 'must hold a case').max(1000).describe('The tests'),
  })
}

let schema: ReturnType<typeof buildSchema> | undefined

/** Built on first use. */
export function testSchema(): ReturnType<typeof buildSchema> {
  return (schema ??= buildSchema())
}

export type WpkTest = z.output<ReturnType<typeof buildSchema>>
export type TestCase = z.output<ReturnType<typeof testCase>>
export type TestResult = z.output<ReturnType<typeof result>>
export type TestMocks = Readonly<Record<string, TestResult | readonly TestResult[]>>
export type TestExpectation = z.output<ReturnType<typeof expectation>>
export type CallExpectation = z.output<ReturnType<typeof call>>
export type CallsExpectation = z.output<ReturnType<typeof calls>>
export type TextMatcher = z.output<ReturnType<typeof matcher>>
export type TestStatus = (typeof STATUSES)[number]
