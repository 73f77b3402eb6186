import {expect} from 'chai'
import fc from 'fast-check'
import {documentFromJson, parseYaml, readDocument, stringifyYaml} from '@atomctl/wpk/document'
import {lint} from '@atomctl/wpk/lint'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'

import {encode, handlerText, packageText} from './documents.ts'

/** A package that uses most of the format, so that there is something to break everywhere. */
const RICH = packageText({
  metadata: '  created: "2024-01-15T10:00:00Z"\n  tags: [security]\n  signature: ""\n',
  spec: `  triggers: [{type: schedule, config: {cron: "0 2 * * *"}}, {type: event, config: {condition: a}}]
  parameters: [{name: namespace, type: string, default: a, schema: {enum: [a, b]}}, {name: amount, type: integer}]
  rollback: {enabled: true, handlers: [{name: undo, type: k8s, config: {action: rollback, resource_name: x}, undoes: scale}]}
  validation: {schema_version: v1, required_permissions: [pods/log], resource_limits: {max_pods: 1}}
  monitoring: {metrics_enabled: true, logging_level: info, alerts: [{type: email, recipients: [a@b.c]}]}
`,
  handlers:
    handlerText('name: scale', 'type: k8s', 'config: {action: scale, resource_name: x, replicas: 3}', 'timeout: 2m') +
    handlerText(
      'name: call',
      'type: api',
      'config: {url: "https://a.example.com/${AMOUNT}", headers: {A: b}}',
      'outputs: {id: /id}',
    ) +
    handlerText(
      'name: run',
      'type: docker',
      'config: {image: "a:1", mounts: ["./a:/a"]}',
      'retry: {max_attempts: 2, backoff: 5s}',
    ) +
    handlerText(
      'name: sh',
      'type: shell',
      'config: {command: ls}',
      'steps: [{shell: {command: ls}}]',
      'x-atom-ignore: [{rule: external_network, reason: none needed}]',
    ),
})

const base = parseYaml(encode(RICH), 'rich').value as JsonObject

type Path = (string | number)[]

function pathsIn(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const children = Object.entries(value).flatMap(([key, child]) =>
    pathsIn(child, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return path.length === 0 ? children : [path, ...children]
}

function replaceAt(value: Json, [key, ...rest]: Path, replacement: Json): Json {
  if (key === undefined) return replacement
  const copy = structuredClone(value) as Record<string | number, Json>
  copy[key] = replaceAt(copy[key]!, rest, replacement)
  return copy as Json
}

const words = fc.constantFrom<Json>(
  '',
  'k8s',
  'shell',
  'secret',
  'scale',
  'x',
  '${A}',
  '${params.b}',
  0,
  -1,
  1e21,
  true,
  null,
  [],
  {},
  [null],
  {a: null},
  ['x'],
)
const mutation = fc.tuple(
  fc.constantFrom(...pathsIn(base)),
  fc.oneof(words, fc.jsonValue({maxDepth: 3}) as fc.Arbitrary<Json>),
)

describe('A package with any value anywhere', () => {
  it('is valid to begin with', () => {
    expect(readDocument(encode(RICH), 'rich').findings.filter(({severity}) => severity === 'error')).to.deep.equal([])
  })

  it('is read without a crash, and reads the same from JSON and from YAML', () => {
    fc.assert(
      fc.property(fc.array(mutation, {minLength: 1, maxLength: 3}), (mutations) => {
        const value = mutations.reduce<Json>((before, [path, replacement]) => {
          try {
            return replaceAt(before, path, replacement)
          } catch {
            return before // an earlier replacement took the place away
          }
        }, base) as JsonObject
        fc.pre(!/"(?:__proto__|constructor|prototype)":/.test(JSON.stringify(value)))
        const fromJson = documentFromJson(value, 'json')
        lint(value)
        fc.pre(!fromJson.findings.some(({rule}) => rule.startsWith('yaml_')))
        const fromYaml = readDocument(encode(stringifyYaml(value)), 'yaml')
        const told = (findings: typeof fromJson.findings) =>
          findings.map(({rule, path}) => `${rule} ${path}`).toSorted()
        expect(told(fromYaml.findings)).to.deep.equal(told(fromJson.findings))
      }),
      {numRuns: 400},
    )
  })
})
