import type {JsonObject} from '@atomctl/protocol/values'
import {expect} from 'chai'
import {checkLimits} from '../src/limits.ts'
import type {BlastLimit} from '../src/options.ts'
import {readProgram} from '../src/program.ts'
import {packageValue} from './support/packages.ts'

const WEB = {action: 'scale', resource_type: 'deployment', resource_name: 'web'}

/** Why a package with this one k8s handler is not admitted. */
function denial(config: object, limits: BlastLimit[], parameters: JsonObject = {}): string | undefined {
  const program = readProgram(packageValue({handlers: [{name: 'scale', type: 'k8s', config}]}))
  try {
    checkLimits(program, parameters, {limits})
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

describe('limits at admission', () => {
  for (const [what, config, limits, parameters, expected] of [
    [
      'a namespace that may be touched',
      {...WEB, namespace: 'team-a'},
      [{namespaces: ['web', 'team-*']}],
      {},
      undefined,
    ],
    [
      'another namespace',
      {...WEB, namespace: 'kube-system'},
      [{namespaces: ['web']}],
      {},
      /kube-system is not one of web/,
    ],
    ['no namespace, where they are limited', WEB, [{namespaces: ['web']}], {}, /names no namespace/],
    ['a namespace from a parameter', WEB, [{namespaces: ['web']}], {namespace: 'other'}, /other is not one of/],
    [
      'a pattern taken for what it says',
      {...WEB, namespace: 'webs'},
      [{namespaces: ['web']}],
      {},
      /webs is not one of/,
    ],
    ['dots that are no wildcards', {...WEB, namespace: 'w-b'}, [{namespaces: ['w.b']}], {}, /w-b is not one of/],
    ['replicas up to the limit', {...WEB, replicas: 9}, [{maxReplicas: 9}], {}, undefined],
    ['replicas beyond it', {...WEB, replicas: 10}, [{maxReplicas: 9}], {}, /10 replicas, and 9 are the most/],
    ['the least of several', {...WEB, replicas: 5}, [{maxReplicas: 9}, {maxReplicas: 4}], {}, /4 are the most/],
    [
      'a limit of another context',
      {...WEB, replicas: 5, context: 'dev'},
      [{contexts: ['prod*'], maxReplicas: 4}],
      {},
      undefined,
    ],
    [
      'a limit of its context',
      {...WEB, replicas: 5, context: 'prod-eu'},
      [{contexts: ['prod*'], maxReplicas: 4}],
      {},
      /4 are/,
    ],
    ['what only earlier steps can tell', {...WEB, namespace: '${found}'}, [{namespaces: ['web']}], {}, undefined],
    ['a type that may not run', WEB, [{handlers: ['shell']}], {}, /its type is k8s, and only shell may run/],
  ] as const)
    it(`${expected ? 'refuse' : 'let through'} ${what}`, () => {
      const message = denial(config, limits as unknown as BlastLimit[], parameters as JsonObject)
      if (expected) expect(message).to.match(expected)
      else expect(message).to.equal(undefined)
    })

  it('count for rollback handlers too', () => {
    const rollback = {enabled: true, handlers: [{name: 'back', type: 'k8s', config: {...WEB, replicas: 50}}]}
    const program = readProgram(packageValue({handlers: [], rollback}))
    expect(() => checkLimits(program, {}, {limits: [{maxReplicas: 9}]})).to.throw(/handler "back"/)
  })
})
