import {expect} from 'chai'

import {handlerText, packageText, read} from './documents.ts'

/** `severity rule path` of what a package with these parts is told. */
function findingsOf(parts: Parameters<typeof packageText>[0], pattern: RegExp = /./): string[] {
  return read(packageText(parts))
    .findings.filter(({rule}) => pattern.test(rule))
    .map(({severity, rule, path}) => `${severity} ${rule} ${path}`)
}

const shell = (...lines: string[]) => handlerText('name: a', 'type: shell', 'config: {command: echo a}', ...lines)
const k8s = (config: string, name = 'a') => handlerText(`name: ${name}`, 'type: k8s', `config: {${config}}`)
const api = (config: string) => handlerText('name: a', 'type: api', `config: {${config}}`)

describe('Semantic checks of handlers', () => {
  it('want names that are unique, rollback included', () => {
    const spec =
      '  rollback:\n    enabled: true\n    handlers:\n      - {name: a, type: shell, config: {command: echo}}\n'
    expect(findingsOf({handlers: shell() + shell(), spec}, /name/)).to.deep.equal([
      'error handler_name_duplicate spec.rollback.handlers[0].name',
      'error handler_name_duplicate spec.handlers[1].name',
    ])
  })

  it('know four types and suggest the one that was meant', () => {
    const {findings} = read(
      packageText({
        handlers:
          handlerText('name: a', 'type: shel', 'config: {}') +
          handlerText('name: b', 'type: kubernetes', 'config: {}') +
          handlerText('name: c', 'type: quantum', 'config: {anything: goes}'),
      }),
    )
    expect(findings.map(({rule, suggestion}) => [rule, suggestion])).to.deep.equal([
      ['handler_type_unknown', 'did you mean shell?'],
      ['handler_type_unknown', 'did you mean k8s?'],
      ['handler_type_unknown', undefined],
    ])
  })

  it('find times and retries that never come to pass', () => {
    expect(findingsOf({handlers: shell('timeout: 0s')})).to.deep.equal(['error timeout_zero spec.handlers[0].timeout'])
    expect(findingsOf({handlers: shell('retry: {max_attempts: 1, backoff: 5s}')})).to.deep.equal([
      'info retry_unreachable spec.handlers[0].retry.backoff',
    ])
    const wait = k8s('action: wait, timeout: 5m, resource_name: x').replace(
      '    - name',
      '    - timeout: 1m\n      name',
    )
    expect(findingsOf({handlers: wait})).to.deep.equal(['warning timeout_unreachable spec.handlers[0].config.timeout'])
    expect(findingsOf({handlers: shell('timeout: 1h30m', 'retry: {max_attempts: 3, backoff: 500ms}')})).to.deep.equal(
      [],
    )
  })

  it('want http URLs, unless a placeholder makes the URL', () => {
    for (const url of ['ftp://x/y', 'example.com', '"https://"', '"http://a b/"']) {
      expect(findingsOf({handlers: api(`url: ${url}`)}), url).to.deep.equal([
        'error url_invalid spec.handlers[0].config.url',
      ])
    }
    for (const url of ['https://example.com/a?b=c', '"${BASE_URL}/v1"', '"http://${HOST}/"']) {
      expect(findingsOf({handlers: api(`url: ${url}`)}), url).to.deep.equal([])
    }
  })

  it('say that steps of the older dialect never run', () => {
    expect(findingsOf({handlers: shell('steps: [{shell: {command: ls}}]')})).to.deep.equal([
      'warning steps_ignored spec.handlers[0].steps',
    ])
  })
})

describe('Semantic checks of k8s actions', () => {
  it('know the actions and suggest the one that was meant', () => {
    const {findings} = read(packageText({handlers: k8s('action: restrat, resource_name: x')}))
    expect(findings).to.have.length(1)
    expect(findings[0]).to.include({rule: 'k8s_action_unknown', severity: 'error', suggestion: 'did you mean restart?'})
    expect(findingsOf({handlers: k8s('resource_name: x')})).to.deep.equal([
      'error k8s_action_missing spec.handlers[0].config',
    ])
  })

  it('want what an action needs to mean anything', () => {
    for (const action of ['scale', 'patch', 'annotate', 'label']) {
      expect(findingsOf({handlers: k8s(`action: ${action}, resource_name: x`)}), action).to.deep.equal([
        'error k8s_action_incomplete spec.handlers[0].config',
      ])
    }
    for (const action of ['create', 'apply', 'job']) {
      expect(findingsOf({handlers: k8s(`action: ${action}`)}), action).to.deep.equal([
        'error k8s_action_incomplete spec.handlers[0].config',
      ])
    }
    expect(findingsOf({handlers: k8s('action: scale, resource_name: x, scale_factor: 2')})).to.deep.equal([
      'warning k8s_scale_unbounded spec.handlers[0].config.scale_factor',
    ])
  })

  it('warn when nothing says which object is meant, and not when something does', () => {
    expect(findingsOf({handlers: k8s('action: restart')})).to.deep.equal([
      'warning k8s_target_undetermined spec.handlers[0].config',
    ])
    for (const target of ['resource_name: web', 'selector: app=web', 'resource_name: "${APP}"']) {
      expect(findingsOf({handlers: k8s(`action: restart, ${target}`)}), target).to.deep.equal([])
    }
    const spec = '  parameters: [{name: resource_name, type: string, required: true}]\n'
    expect(findingsOf({handlers: k8s('action: restart'), spec})).to.deep.equal([])
    expect(findingsOf({handlers: k8s('action: events')})).to.deep.equal([])
  })

  it('warn of what a runtime refuses to do, at the key that says it', () => {
    expect(findingsOf({handlers: k8s('action: wait, resource_name: x, condition: latency_improved')})).to.deep.equal([
      'warning k8s_action_unsupported spec.handlers[0].config.condition',
    ])
  })

  it('are closed per action: a key of another action is a mistake', () => {
    expect(findingsOf({handlers: k8s('action: restart, resource_name: x, revision: 3')})).to.deep.equal([
      'error schema_unknown_key spec.handlers[0].config.revision',
    ])
  })
})

describe('Semantic checks of safety and rollback', () => {
  const rollback = (enabled: boolean, handlers: string) => `  rollback:\n    enabled: ${enabled}\n${handlers}`
  const undo = (extra = '') => `    handlers: [{name: undo, type: shell, config: {command: echo undo}${extra}}]\n`

  it('refuse rollback that is enabled without handlers', () => {
    expect(findingsOf({spec: rollback(true, '')})).to.deep.equal(['error rollback_empty spec.rollback'])
    expect(findingsOf({spec: rollback(true, '    handlers: []\n')})).to.deep.equal([
      'error rollback_empty spec.rollback',
    ])
  })

  it('warn of handlers that never run, and of statements that contradict each other', () => {
    expect(findingsOf({spec: rollback(false, undo())})).to.deep.equal(['warning rollback_disabled spec.rollback'])
    const text = packageText().replace(
      '{mode: manual}',
      '{mode: auto, approval_required: true, rollback_enabled: true}',
    )
    expect(read(text).findings.map(({rule}) => rule)).to.have.members([
      'rollback_contradiction',
      'safety_contradiction',
    ])
  })

  it('want x-atom-ignore to name a security rule', () => {
    const ignoring = (rule: string) => shell(`x-atom-ignore: [{rule: ${rule}, reason: no other way today}]`)
    expect(findingsOf({handlers: ignoring('external_network')})).to.deep.equal([])
    const {findings} = read(packageText({handlers: ignoring('extrenal_network')}))
    expect(findings[0]).to.include({
      rule: 'ignore_unknown',
      severity: 'warning',
      suggestion: 'did you mean external_network?',
    })
  })

  it('want undoes to name a handler', () => {
    expect(findingsOf({spec: rollback(true, undo(', undoes: hello'))})).to.deep.equal([])
    const {findings} = read(packageText({spec: rollback(true, undo(', undoes: helo'))}))
    expect(findings[0]).to.include({rule: 'undoes_unknown', severity: 'error', suggestion: 'did you mean hello?'})
  })
})

describe('Semantic checks of parameters and placeholders', () => {
  const declared = '  parameters:\n    - {name: namespace, type: string, required: true}\n'

  it('find placeholders that nothing fills, once parameters are declared', () => {
    const handlers = api('url: "https://a.example.com/${params.namespce}/${NAMESPACE}/${OTHER}"')
    expect(findingsOf({handlers, spec: declared})).to.deep.equal([
      'error placeholder_unfilled spec.handlers[0].config.url',
      'warning placeholder_unfilled spec.handlers[0].config.url',
    ])
    expect(findingsOf({handlers})).to.deep.equal([])
  })

  it('know that outputs of handlers fill placeholders, too', () => {
    const named = handlerText(
      'name: a',
      'type: api',
      'config: {url: "https://a.example.com"}',
      'outputs: {ticket: /id}',
    )
    const user = handlerText('name: b', 'type: api', 'config: {url: "https://a.example.com/${TICKET}"}')
    expect(findingsOf({handlers: named + user, spec: declared})).to.deep.equal([])
    const writer = handlerText('name: a', 'type: shell', `config: {command: 'echo ticket=1 >> "$ATOM_OUTPUT"'}`)
    expect(findingsOf({handlers: writer + user, spec: declared})).to.deep.equal([])
    expect(findingsOf({handlers: user, spec: declared})).to.have.length(1)
  })

  it('find what is no placeholder', () => {
    expect(findingsOf({handlers: api('url: "https://a.example.com/${a b}"')})).to.deep.equal([
      'warning placeholder_invalid spec.handlers[0].config.url',
    ])
  })

  it('leave the shell its own variables, but not a name with a dot', () => {
    const handlers = (command: string) => handlerText('name: a', 'type: shell', `config: {command: '${command}'}`)
    expect(findingsOf({handlers: handlers('x=1; echo ${x:-2} ${PATH%%:*}'), spec: declared})).to.deep.equal([])
    expect(findingsOf({handlers: handlers('echo ${params.namespace}'), spec: declared})).to.deep.equal([
      'warning placeholder_in_shell spec.handlers[0].config.command',
    ])
  })

  const declarations: [string, string, string][] = [
    [
      'a name declared twice',
      '{name: a, type: string}, {name: a, type: string}',
      'error parameter_duplicate spec.parameters[1].name',
    ],
    [
      'a default of another type',
      '{name: a, type: integer, default: x}',
      'error parameter_default spec.parameters[0].default',
    ],
    [
      'a default that breaks the schema',
      '{name: a, type: integer, default: 0, schema: {minimum: 1}}',
      'error parameter_default spec.parameters[0].default',
    ],
    [
      'a misspelt schema keyword',
      '{name: a, type: integer, schema: {minimun: 1}}',
      'error parameter_schema spec.parameters[0].schema',
    ],
    [
      'a pattern that is no regular expression',
      '{name: a, type: string, schema: {pattern: "("}}',
      'error parameter_schema spec.parameters[0].schema',
    ],
    [
      'a secret with its value in the file',
      '{name: a, type: secret, default: hunter2}',
      'error parameter_default spec.parameters[0].default',
    ],
    [
      'sources for what is no secret',
      '{name: a, type: string, sources: [env]}',
      'error parameter_sources spec.parameters[0].sources',
    ],
    [
      'a required parameter with a default',
      '{name: a, type: string, required: true, default: b}',
      'info parameter_required spec.parameters[0].required',
    ],
    ['an unknown type', '{name: a, type: text}', 'error schema_value spec.parameters[0].type'],
    ['a name in capitals', '{name: A, type: string}', 'error schema_value spec.parameters[0].name'],
  ]
  for (const [what, list, expected] of declarations) {
    it(`find ${what}`, () => expect(findingsOf({spec: `  parameters: [${list}]\n`})).to.deep.equal([expected]))
  }
})

describe('Semantic checks of the surroundings', () => {
  const trigger = (type: string, config: string) =>
    findingsOf({spec: `  triggers: [{type: ${type}, config: {${config}}}]\n`})

  it('want a cron expression of five fields in range', () => {
    for (const cron of ['0 2 * * *', '*/15 0-6,22 1 jan-mar mon-fri', '0 0 * * 7']) {
      expect(trigger('schedule', `cron: "${cron}"`), cron).to.deep.equal([])
    }
    for (const cron of [
      '* * * *',
      '60 * * * *',
      '0 24 * * *',
      '0 0 0 * *',
      '0 0 * 13 *',
      '0 0 * * 8',
      '5-1 * * * *',
      '*/0 * * * *',
      'a * * * *',
      '@daily',
      '',
    ]) {
      expect(trigger('schedule', `cron: "${cron}"`).length, cron).to.equal(1)
    }
    expect(trigger('schedule', 'timezone: UTC')).to.deep.equal(['error cron_missing spec.triggers[0].config'])
  })

  it('warn of triggers and alerts that can never fire', () => {
    expect(trigger('event', 'source: prometheus')).to.deep.equal(['warning trigger_incomplete spec.triggers[0].config'])
    expect(trigger('webhook', 'auth: bearer')).to.deep.equal(['warning trigger_incomplete spec.triggers[0].config'])
    const alerts = (list: string) => findingsOf({spec: `  monitoring: {alerts: [${list}]}\n`})
    expect(alerts('{type: slack, on_failure: true}')).to.deep.equal([
      'warning alert_incomplete spec.monitoring.alerts[0]',
    ])
    expect(alerts('{type: pager}')).to.deep.equal(['warning alert_unknown spec.monitoring.alerts[0].type'])
    expect(alerts('{type: email, recipients: [a@b.c]}')).to.deep.equal([])
  })

  it('want times, permissions and quantities to be what they say', () => {
    expect(findingsOf({metadata: '  created: yesterday\n'})).to.deep.equal(['warning created_invalid metadata.created'])
    expect(findingsOf({metadata: '  created: "2024-01-15T10:00:00Z"\n'})).to.deep.equal([])
    expect(findingsOf({spec: '  validation: {required_permissions: [pods/log, pods]}\n'})).to.deep.equal([
      'warning permission_invalid spec.validation.required_permissions[1]',
    ])
    const text = packageText().replace('{type: shell}', '{type: shell, requirements: {cpu: lots, memory: 128Mi}}')
    expect(read(text).findings.map(({path}) => path)).to.deep.equal(['spec.runtime.requirements.cpu'])
  })
})
