import {chmod, mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import {once} from 'node:events'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../../../test/support/atomctl.ts'

const PACKAGE = `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: switch-over
  version: "1.0.0"
  description: "Switch over"
  author: "Ada"
  signature: ""
spec:
  runtime: {type: shell}
  parameters:
    - {name: target, type: string, required: true}
    - {name: notify, type: boolean, default: true}
    - {name: api_token, type: secret, sources: [env]}
  safety: {mode: manual, approval_required: APPROVAL, rollback_enabled: true}
  handlers:
    - name: prepare
      type: shell
      config: {command: 'touch prepared; echo "revision=7" >>"$ATOM_OUTPUT"', env: {TOKEN: "\${API_TOKEN}"}}
      outputs: {revision: "the revision that was found"}
      timeout: 10s
      retry: {max_attempts: 3, backoff: 2s}
    - name: switch
      type: api
      config:
        url: "http://127.0.0.1:PORT/switch/\${TARGET}"
        method: POST
        headers: {Authorization: "Bearer \${API_TOKEN}"}
        payload: {revision: "\${REVISION}"}
        expected_status: 202
      outputs: {ticket: "/ticket/id"}
      timeout: 5s
    - name: tell
      type: shell
      when: notify == true
      config: {command: 'touch told'}
    - name: settle
      type: k8s
      config: {action: scale, resource_type: deployment, resource_name: web, namespace: prod, replicas: 5}
  rollback:
    enabled: true
    handlers:
      - name: unprepare
        type: shell
        undoes: prepare
        config: {command: 'touch unprepared'}
      - name: switch-back
        type: shell
        undoes: switch
        config: {command: 'touch back'}
      - name: scale-back
        type: k8s
        undoes: settle
        config: {action: scale, resource_type: deployment, resource_name: web, namespace: prod, replicas: original}
`

const MOCKS = `
  mocks:
    prepare: {outputs: {revision: "7"}}
    switch: {http_status: 202, output: {ticket: {id: T-1}}}
    tell: {}
    settle: {objects: [{kind: Deployment, metadata: {name: web, namespace: prod}, spec: {replicas: 2}}]}
    unprepare: {}
    switch-back: {}
    scale-back: {}
`
const DEFAULTS = `package: p.wpk.yaml
defaults:
  parameters: {target: east}
  secrets: {api_token: tok-canary-1}${MOCKS}`

interface Report {
  data: {
    files: {cases: {name: string; passed: boolean; status: string; problems: {message: string; path: string}[]}[]}[]
    broken: {path: string; findings: {rule: string; message: string; suggestion?: string; position?: object}[]}[]
    coverage: {percent: number; missed: string[]}[]
    totals: Record<string, number>
  }
  error?: {code: string}
}

describe('atomctl test', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
    await writePackage()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const writePackage = ({approval = false, port = 9} = {}): Promise<void> =>
    writeFile(sandbox.path('p.wpk.yaml'), PACKAGE.replace('APPROVAL', String(approval)).replace('PORT', String(port)))

  async function run(
    cases: string,
    ...flags: string[]
  ): Promise<RunResult & Report['data'] & {error?: {code: string}}> {
    await writeFile(sandbox.path('p.wpktest.yaml'), cases)
    const result = await sandbox.atomctl(['test', '-o', 'json', ...flags])
    const {data, error} = JSON.parse(result.stdout) as Report
    return {...result, ...data, ...(error ? {error} : {})}
  }

  /** What is wrong with the only case; none when it passes. */
  async function problems(expected: string, more = ''): Promise<string[]> {
    const {files} = await run(`${DEFAULTS}cases:\n  - name: one\n${more}    expect: ${expected}\n`)
    return files[0]!.cases[0]!.problems.map(({message}) => message)
  }

  it('runs every step on the results of the mocks, in order, and compares what would have been sent', async () => {
    const expected = `
      status: completed
      order: [prepare, switch, tell, settle]
      skipped: []
      outputs: {revision: "7", ticket: T-1}
      calls:
        prepare: {count: 1, shell: /bin/sh, env: [TARGET, TOKEN], command: {contains: touch prepared}}
        switch:
          method: POST
          url: "http://127.0.0.1:9/switch/east"
          headers: {Authorization: "Bearer ***", Content-Type: application/json}
          body: {revision: "7"}
        settle:
          kubectl: "kubectl patch deployment/web --type=merge --namespace=prod"
          input: {spec: {replicas: 5}}
      redaction: [tok-canary-1]
`
    expect(await problems(expected)).to.deep.equal([])
  })

  it('starts nothing at all: no command, no request, no kubectl, no file', async () => {
    const requests: string[] = []
    const server = createServer((request, response) => {
      requests.push(String(request.url))
      response.writeHead(202).end('{"ticket": {"id": "real"}}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      await writePackage({port: (server.address() as {port: number}).port})
      await mkdir(sandbox.path('tools'))
      const spy = `#!/bin/sh\necho "$0 $*" >>'${sandbox.path('started')}'\n`
      for (const name of ['kubectl', 'sh', 'touch']) {
        await writeFile(sandbox.path('tools', name), spy)
        await chmod(sandbox.path('tools', name), 0o755)
      }
      await writeFile(sandbox.path('p.wpktest.yaml'), `${DEFAULTS}cases: [{name: one, expect: {}}]\n`)
      const before = await readdir(sandbox.home)
      const env = {PATH: sandbox.path('tools')}
      const result = await sandbox.atomctl(['test', '--fail-each-step'], {env})
      expect(result, result.stderr).to.include({code: 0})
      expect(await readdir(sandbox.home))
        .to.include.members(before)
        .and.not.include('started')
      expect((await readdir(sandbox.home)).filter((name) => /prepared|told|back/.test(name))).to.deep.equal([])
      expect(requests).to.deep.equal([])
    } finally {
      server.close()
    }
  })

  it('cannot start a process even where the system would have to be asked', async () => {
    await writeFile(sandbox.path('p.wpktest.yaml'), `${DEFAULTS}cases: [{name: one, expect: {}}]\n`)
    const env = {NODE_OPTIONS: '--permission --allow-fs-read=* --allow-fs-write=*'}
    const result = await sandbox.atomctl(['test', '--fail-each-step'], {env})
    expect(result, result.stderr).to.include({code: 0})
    expect(result.stdout).to.include('5 passed, 0 failed')
  })

  it('fails a case that reaches a handler without a mock, and runs it no further', async () => {
    const cases = `${DEFAULTS.replace(/ {4}tell: \{\}\n/, '')}cases: [{name: one, expect: {}}]\n`
    const {files, code, error} = await run(cases)
    expect(code).to.equal(3)
    expect(error).to.include({code: 'TEST_FAILED'})
    expect(files[0]!.cases[0]!.problems[0]).to.include({path: 'cases[0]'})
    expect(files[0]!.cases[0]!.problems[0]!.message).to.match(/^tell was reached and has no mock/)
  })

  it('says what is otherwise than expected, with the line that expected it', async () => {
    await writeFile(
      sandbox.path('p.wpktest.yaml'),
      `${DEFAULTS}cases:
  - name: one
    expect:
      status: failed
      order: [prepare]
      calls: {switch: {url: {contains: west}}}
`,
    )
    const result = await sandbox.atomctl(['test'])
    expect(result.code).to.equal(3)
    expect(result.stdout).to.include('FAIL  one')
    expect(result.stdout).to.match(/expected status failed, got completed\n\s+p\.wpktest\.yaml:16:15/)
    expect(result.stdout).to.include('expected order prepare, got prepare → switch → tell → settle')
    expect(result.stdout).to.include('"west" is not in "http://127.0.0.1:9/switch/east"')
  })

  it('undoes in reverse what completed when a step fails, by the runtime’s own rule', async () => {
    const expected = `
      status: rolled_back
      order: [prepare, switch, tell, settle, switch-back, unprepare]
      rollbacks: [switch-back, unprepare]
      error: {code: EXECUTION_ROLLED_BACK, message: {contains: quota}}
`
    expect(await problems(expected, '    mocks: {settle: {error: quota}}\n')).to.deep.equal([])
  })

  it('knows a rollback that fails', async () => {
    const more = '    mocks: {settle: {exit_code: 1}, unprepare: {exit_code: 9}}\n'
    expect(await problems('{status: rollback_failed, error: {code: ROLLBACK_FAILED}}', more)).to.deep.equal([])
  })

  it('retries as the package says, each attempt with its own result, on a clock that does not wait', async () => {
    const expected = `
      calls: {prepare: {count: 3}}
      elapsed: {at_least: 16s, at_most: 16s}
      logs: ["attempt 1 of 3 failed: timed out after 10000 ms", "attempt 2 of 3 failed: exit code 4"]
`
    // 10 s until the timeout, 2 s and 4 s of backoff
    const more = '    mocks: {prepare: [{timeout: true}, {exit_code: 4}, {outputs: {revision: "7"}}]}\n'
    expect(await problems(expected, more)).to.deep.equal([])
    const times = '    mocks: {prepare: {fail_times: 2, exit_code: 1, outputs: {revision: "7"}, duration: 1s}}\n'
    expect(await problems('{calls: {prepare: {count: 3}}, elapsed: {at_most: 9s}}', times)).to.deep.equal([])
  })

  it('judges answers as the runtime does: expected status, outputs that are not there', async () => {
    const wrong = await problems('{status: completed}', '    mocks: {switch: {http_status: 500}}\n')
    expect(wrong[0]).to.include('status 500, expected 202')
    const empty = await problems('{status: completed}', '    mocks: {switch: {http_status: 202, output: {}}}\n')
    expect(empty[0]).to.include('nothing at /ticket/id for output ticket')
    const silent = await problems('{status: completed}', '    mocks: {prepare: {}}\n')
    expect(silent[0]).to.include('did not write revision to $ATOM_OUTPUT')
  })

  it('leaves out a step whose condition does not hold, and needs no mock for it', async () => {
    const more = '    parameters: {notify: false}\n'
    expect(await problems('{skipped: [tell], order: [prepare, switch, settle]}', more)).to.deep.equal([])
  })

  it('keeps the state of the cluster within a case: what was scaled goes back to what was found', async () => {
    const check = "    - {name: check, type: shell, config: {command: 'false'}}\n  rollback:\n"
    const text = PACKAGE.replace('APPROVAL', 'false').replace('PORT', '9').replace('  rollback:\n', check)
    await writeFile(sandbox.path('p.wpk.yaml'), text)
    const expected = `
      status: rolled_back
      calls: {scale-back: {input: {spec: {replicas: 2}}}, settle: {input: {spec: {replicas: 5}}}}
`
    expect(await problems(expected, '    mocks: {check: {exit_code: 1}}\n')).to.deep.equal([])
  })

  it('waits for approvals as the runtime does: pending, approved by others, rejected, expired, refused', async () => {
    await writePackage({approval: true})
    expect(await problems('{status: pending, error: {code: APPROVAL_PENDING}, order: []}')).to.deep.equal([])
    expect(await problems('{}', '    approvals: [{by: ada, after: 1h}]\n')).to.deep.equal([])
    expect(await problems('{}', '    quorum: 2\n    approvals: [{by: ada}, {by: bob}]\n')).to.deep.equal([])
    const rejected = '{status: rejected, order: [], error: {message: {contains: not today}}}'
    const no = '    approvals: [{by: ada, decision: reject, reason: not today}]\n'
    expect(await problems(rejected, no)).to.deep.equal([])
    const late = '    approvals: [{by: ada, after: 25h}]\n'
    expect(await problems('{status: rejected, elapsed: {at_least: 24h}}', late)).to.deep.equal([])
    const own = '    requested_by: ada\n    approvals: [{by: ada}]\n'
    expect(await problems('{status: refused, error: {code: DENIED}}', own)).to.deep.equal([])
    const twice = '    quorum: 2\n    approvals: [{by: ada}, {by: ada}]\n'
    expect(await problems('{status: refused, error: {code: CONFLICT}}', twice)).to.deep.equal([])
  })

  it('cancels while a handler runs, and then undoes nothing', async () => {
    const more = '    cancel: {during: switch}\n'
    const expected = '{status: cancelled, order: [prepare, switch], rollbacks: [], error: {code: EXECUTION_CANCELLED}}'
    expect(await problems(expected, more)).to.deep.equal([])
  })

  it('refuses parameters as the runtime does', async () => {
    const wrong = '{status: refused, order: [], error: {code: PARAMETER_INVALID, message: {contains: notify}}}'
    expect(await problems(wrong, '    parameters: {notify: "perhaps"}\n')).to.deep.equal([])
  })

  it('takes secrets out of all that a step leaves, and finds a text that must not be there', async () => {
    const leaky = '    mocks: {switch: {http_status: 202, output: {ticket: {id: "tok-canary-1 of hunter2"}}}}\n'
    expect(await problems('{outputs: {ticket: "*** of hunter2"}, redaction: [tok-canary-1]}', leaky)).to.deep.equal([])
    const found = await problems('{redaction: [hunter2]}', leaky)
    expect(found).to.deep.equal(['"hunter2" is in what the execution leaves'])
  })

  it('takes out what the runtime would: base64, URLs and JSON of a secret too, in errors of failing steps as well', async () => {
    const secret = 'tok"canary/1+'
    const packed = Buffer.from(secret).toString('base64')
    const given = `    secrets: {api_token: ${JSON.stringify(secret)}}\n`
    const said = JSON.stringify(`a=${secret} b=${packed} c=${encodeURIComponent(secret)} d=${JSON.stringify(secret)}`)
    const fails = `${given}    mocks: {switch: {error: ${said}}}\n`
    const forms = JSON.stringify([secret, packed, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    const message = JSON.stringify('a=*** b=*** c=*** d="***"')
    const expected = `{status: rolled_back, error: {message: {contains: ${message}}}, redaction: ${forms}}`
    expect(await problems(expected, fails)).to.deep.equal([])
  })

  it('reads a secret where the runtime would: none, or one that it would refuse, fails the step that names it', async () => {
    const none = `${DEFAULTS.replace('  secrets: {api_token: tok-canary-1}', '')}cases:\n  - name: one\n    expect: `
    const missing =
      '{status: failed, order: [prepare], error: {code: SECRET_NOT_FOUND, message: {contains: api_token}}}'
    const without = await run(`${none}${missing}\n`)
    expect(without.files[0]!.cases[0]!.problems).to.deep.equal([])
    const short = '    secrets: {api_token: hunter2}\n'
    const invalid =
      '{status: failed, calls: {prepare: {count: 0}}, error: {code: SECRET_INVALID}, redaction: [hunter2]}'
    expect(await problems(invalid, short)).to.deep.equal([])
  })

  it('makes a case of every step with --fail-each-step, and reaches full coverage with it', async () => {
    const cases = `${DEFAULTS}cases:
  - {name: all, expect: {}}
  - {name: quiet, parameters: {notify: false}, expect: {}}
`
    const {files, code, coverage} = await run(cases, '--fail-each-step', '--min-coverage', '85')
    expect(code).to.equal(0)
    expect(files[0]!.cases.map(({name, status}) => `${name}: ${status}`)).to.deep.equal([
      'all: completed',
      'quiet: completed',
      'fails at prepare and undoes what completed: failed',
      'fails at switch and undoes what completed: rolled_back',
      'fails at tell and undoes what completed: rolled_back',
      'fails at settle and undoes what completed: rolled_back',
    ])
    expect(coverage).to.have.length(1)
    // the last step never completes and then has something fail after it
    expect(coverage[0]).to.deep.include({percent: 90, missed: ['scale-back never ran']})
  })

  it('fails below --min-coverage and names what was not reached', async () => {
    const {code, error, coverage} = await run(`${DEFAULTS}cases: [{name: one, expect: {}}]\n`, '--min-coverage', '90')
    expect(code).to.equal(3)
    expect(error).to.include({code: 'COVERAGE_TOO_LOW'})
    expect(coverage[0]!.missed).to.include.members(['tell: `when` always held', 'prepare was never tried again'])
  })

  it('runs the cases that --grep or --filter names, and refuses a pattern that names none or is none', async () => {
    const cases = `${DEFAULTS}cases: [{name: alpha, expect: {}}, {name: beta, expect: {status: failed}}]\n`
    expect((await run(cases, '--grep', 'ALPHA')).files[0]!.cases.map(({name}) => name)).to.deep.equal(['alpha'])
    expect((await run(cases, '--filter', 'beta')).code).to.equal(3)
    expect((await sandbox.atomctl(['test', '--grep', 'gamma'])).code).to.equal(2)
    expect((await sandbox.atomctl(['test', '--grep', '['])).code).to.equal(2)
  })

  it('begins nothing after a failure with --fail-fast', async () => {
    const cases = `${DEFAULTS}cases: [{name: a, expect: {status: failed}}, {name: b, expect: {}}]\n`
    expect((await run(cases, '--fail-fast')).totals).to.include({cases: 1, failed: 1, not_run: 1})
  })

  it('finds what is wrong with a test file, with line and column and what was meant', async () => {
    const cases = `package: p.wpk.yaml
cases:
  - name: one
    mock: {prepare: {}}
    mocks:
      prepare: {exit_cod: 1}
    expect:
      status: complete
      order: yes
`
    const {code, error, broken} = await run(cases)
    expect(code).to.equal(3)
    expect(error).to.include({code: 'TEST_INVALID'})
    const found = broken[0]!.findings.map(({message, suggestion, position}) => ({message, suggestion, position}))
    expect(found).to.deep.include({
      message: 'Unknown field: cases[0].mock',
      suggestion: 'did you mean mocks?',
      position: {line: 4, column: 11},
    })
    expect(JSON.stringify(found)).to.include('did you mean completed?')
    expect(broken[0]!.findings.map(({rule}) => rule)).to.include('yaml_ambiguous')
  })

  it('finds names that the package does not have', async () => {
    const cases = `package: p.wpk.yaml
cases:
  - name: one
    parameters: {api_token: x}
    secrets: {target: x}
    mocks: {prepar: {}}
    expect: {order: [swich], rollbacks: [prepare], calls: {nothing: {count: 0}}}
  - name: one
    expect: {}
`
    const {broken} = await run(cases)
    const texts = broken[0]!.findings.map(({message, suggestion}) => `${message} (${suggestion})`)
    expect(texts).to.include('The package has no handler prepar (did you mean prepare?)')
    expect(texts).to.include('The package has no handler swich (did you mean switch?)')
    expect(texts).to.include('api_token is a secret (give it a made-up value under secrets)')
    expect(texts.join()).to.include('no rollback handler prepare').and.include('no parameter of type secret target')
    expect(texts.join()).to.include('Two cases are named "one"')
  })

  it('finds a package that is missing or broken at the line that names it', async () => {
    const missing = await run('package: q.wpk.yaml\ncases: [{name: one, expect: {}}]\n')
    expect(missing.broken[0]!.findings[0]).to.deep.include({rule: 'test_package', position: {line: 1, column: 10}})
    await writeFile(sandbox.path('q.wpk.yaml'), 'apiVersion: v1\n')
    const broken = await run('package: q.wpk.yaml\ncases: [{name: one, expect: {}}]\n')
    expect(broken.broken[0]!.findings[0]!.message).to.include('Missing required field: ')
  })

  it('runs what can be run beside a broken file, and says both', async () => {
    await writeFile(sandbox.path('broken.wpktest.yaml'), '\u0000')
    const {files, totals, code} = await run(`${DEFAULTS}cases: [{name: one, expect: {}}]\n`)
    expect(code).to.equal(3)
    expect(files).to.have.length(1)
    expect(totals).to.include({passed: 1, broken: 1})
  })

  it('takes files, directories and patterns; without any test file it is a mistake in the command line', async () => {
    await writeFile(sandbox.path('p.wpktest.yaml'), `${DEFAULTS}cases: [{name: one, expect: {}}]\n`)
    for (const named of ['p.wpktest.yaml', '.', '*.wpktest.yaml'])
      expect((await sandbox.atomctl(['test', named])).code, named).to.equal(0)
    await mkdir(sandbox.path('empty'))
    const {code, stderr} = await sandbox.atomctl(['test', 'empty'])
    expect(code).to.equal(2)
    expect(stderr).to.include('holds no *.wpktest.yaml file')
  })

  it('reports to CI as JUnit', async () => {
    await writeFile(
      sandbox.path('p.wpktest.yaml'),
      `${DEFAULTS}cases: [{name: good, expect: {}}, {name: "a <bad> one", expect: {status: failed}}]\n`,
    )
    const {stdout, code} = await sandbox.atomctl(['test', '-o', 'junit'])
    expect(code).to.equal(3)
    expect(stdout).to.match(/<testsuites name="atomctl" tests="2" failures="1" errors="0" skipped="0"/)
    expect(stdout).to.include('name="a &lt;bad&gt; one"').and.include('<failure message="expected status failed')
  })

  it('prints its schema, which the format’s own documentation is made of', async () => {
    const printed = await sandbox.atomctl(['schema', 'print', '--test'])
    const schema = JSON.parse(printed.stdout) as {properties: object; additionalProperties: boolean}
    expect(schema.additionalProperties).to.equal(false)
    expect(Object.keys(schema.properties)).to.include.members(['package', 'cases', 'defaults'])
    const explained = await sandbox.atomctl(['explain', 'wpktest.cases.expect.calls'])
    expect(explained.stdout).to.include('kubectl').and.include('count')
    expect((await sandbox.atomctl(['explain', 'wpktest.case'])).stderr).to.include('wpktest.cases')
  })

  it('keeps what it tested as it was', async () => {
    const before = await readFile(sandbox.path('p.wpk.yaml'), 'utf8')
    await run(`${DEFAULTS}cases: [{name: one, expect: {}}]\n`, '--fail-each-step')
    expect(await readFile(sandbox.path('p.wpk.yaml'), 'utf8')).to.equal(before)
  })
})
