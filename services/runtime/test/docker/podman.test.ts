import {expect} from 'chai'
import {IMAGE, requirePodman, type Podman} from '../support/docker/podman.ts'
import {shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

function docker(name: string, command: string | string[] | undefined, more: object = {}): object {
  const {config = {}, ...rest} = more as {config?: object}
  return {name, type: 'docker', config: {image: IMAGE, ...(command === undefined ? {} : {command}), ...config}, ...rest}
}

describe('docker handlers on Podman', function () {
  this.timeout(60_000)
  let podman: Podman
  let service: TestService
  before(async function () {
    this.timeout(3 * STARTUP_MS)
    podman = await requirePodman(this)
    service = await TestService.start({
      environment: {PATH: process.env['PATH'], DOCKER_HOST: `unix://${podman.socket}`, CANARY_SECRET: 'canary-value'},
    })
  })
  after(async () => {
    await service?.stop()
    await podman?.stop()
  })
  afterEach(async () => expect(await podman.containers(), 'containers left behind').to.deep.equal([]))

  const text = (logs: readonly string[] | undefined): string => logs?.join('\n') ?? ''

  it('run a container to its end, log both of its streams and hand its outputs on', async () => {
    const execution = await service.run({
      handlers: [
        docker('make', 'echo to-stdout; echo to-stderr >&2; echo answer=42 >> "$ATOM_OUTPUT"'),
        shell('use', 'echo "the answer is $ANSWER"', {when: 'answer == 42'}),
      ],
    })
    expect(execution.status, text(execution.logs)).to.equal('completed')
    const {entries} = await service.logs(execution.execution_id)
    const said = (entries ?? []).map(({stream, text: line}) => `${stream}: ${line}`)
    expect(said).to.include('stdout: to-stdout').and.to.include('stderr: to-stderr')
    expect(said).to.include('stdout: the answer is 42')
    expect(said.join('\n')).to.match(new RegExp(`image ${IMAGE} is sha256:[0-9a-f]{64}`))
  })

  it('fail with the exit code of the container, and keep what it wrote', async () => {
    const execution = await service.run({handlers: [docker('fails', 'echo last words; exit 3')]})
    expect(execution.status).to.equal('failed')
    expect(execution.steps?.[0]).to.include({exit_code: 3, error: 'exit code 3'})
    expect(text(execution.logs)).to.contain('last words')
  })

  it('give parameters as environment variables, of which none becomes code', async () => {
    const execution = await service.run(
      {handlers: [docker('say', 'echo "got $NAME and $EXTRA"', {config: {env: {EXTRA: '<${name}>'}}})]},
      {parameters: {name: '$(echo pwned); `id`'}},
    )
    expect(text(execution.logs)).to.contain('got $(echo pwned); `id` and <$(echo pwned); `id`>')
  })

  it('fill the words of a list with values, but never those of a script', async () => {
    const execution = await service.run(
      {
        handlers: [
          docker('list', ['/bin/env', 'X=${NAME}', '/bin/sh', '-c', 'echo "$X"; echo ${NAME}']),
          docker('plain', ['/bin/ls', '-d', '/${NAME}']),
        ],
      },
      {parameters: {name: 'bin'}},
    )
    expect(execution.status, text(execution.logs)).to.equal('completed')
    expect(text(execution.logs)).to.contain('${NAME}').and.to.contain('bin').and.to.contain('/bin')
  })

  it('pass on nothing of the runtime, and an idempotency key that is the same in every attempt', async () => {
    const execution = await service.run({
      handlers: [docker('tries', 'env; exit 1', {retry: {max_attempts: 2, backoff: '1ms'}})],
    })
    const keys = [...text(execution.logs).matchAll(/ATOM_IDEMPOTENCY_KEY=(\S+)/g)].map(([, key]) => key)
    expect(keys).to.deep.equal(Array(2).fill(`${execution.execution_id}/handler/0`))
    expect(text(execution.logs)).to.not.contain('canary-value')
  })

  it('mount the package read-only, and folders of it where the package says', async () => {
    const execution = await service.run({
      handlers: [
        shell('prepare', 'mkdir data && echo content > data/file && echo top > top'),
        docker('read', 'cat /package/top /in/file; touch /package/no 2>&1; touch /in/no 2>&1; touch /out/yes', {
          config: {mounts: ['data:/in', {source: 'data', target: '/out', read_only: false}]},
        }),
        shell('check', 'ls data; test -f data/yes && test ! -f data/no && test ! -f no'),
      ],
    })
    expect(execution.status, text(execution.logs)).to.equal('completed')
    expect(text(execution.logs))
      .to.contain('top')
      .and.to.contain('content')
      .and.to.match(/Read-only file system/)
  })

  it('let no link in the package lead a mount out of it', async () => {
    const execution = await service.run({
      handlers: [shell('trap', 'ln -s /etc data'), docker('read', 'cat /in/passwd', {config: {mounts: ['data:/in']}})],
    })
    expect(execution.steps?.[1]?.error).to.contain('leads out of the package')
  })

  it('have no network unless they name one', async () => {
    const execution = await service.run({handlers: [docker('look', 'cat /proc/net/dev')]})
    expect(execution.status).to.equal('completed')
    const devices = [...text(execution.logs).matchAll(/^\[look\]\s+(\w+):(?:\s+\d+){8,}/gm)].map(([, name]) => name)
    expect(devices, text(execution.logs)).to.deep.equal(['lo'])
  })

  it('run as the user and in the folder that the package names', async () => {
    const config = {user: '1234:99', workdir: '/tmp'}
    const execution = await service.run({
      handlers: [docker('who', 'id -u; id -g; pwd; echo a=b >> $ATOM_OUTPUT', {config, outputs: {a: 'a'}})],
    })
    expect(execution.status, text(execution.logs)).to.equal('completed')
    expect(text(execution.logs)).to.match(/1234[^]*99[^]*\/tmp/)
  })

  it('cannot put anything else in the place of the outputs', async () => {
    const execution = await service.run({
      handlers: [docker('link', 'rm $ATOM_OUTPUT; ln -sf /etc/passwd $ATOM_OUTPUT; mkfifo $ATOM_OUTPUT; exit 0')],
    })
    expect(execution.status).to.equal('completed')
    expect(text(execution.logs)).to.match(/busy/)
  })

  it('end at their timeout, also when they ignore SIGTERM', async () => {
    const execution = await service.run({
      handlers: [docker('hangs', 'trap "" TERM; echo up; while :; do sleep 1; done', {timeout: '2s'})],
    })
    expect(execution.steps?.[0]).to.include({error: 'timed out after 2000 ms', exit_code: null})
    expect(text(execution.logs)).to.contain('up')
  })

  it('end when the execution is cancelled', async () => {
    const id = await service.started({handlers: [docker('waits', 'echo up; while :; do sleep 1; done')]})
    await eventually('the container runs', async () => (await service.logs(id)).logs.join().includes('up'), 30)
    expect((await service.request(`/execute/${id}/cancel`, {method: 'POST'})).status).to.equal(200)
    expect((await service.ended(id)).status).to.equal('cancelled')
    await eventually('the container is gone', async () => (await podman.containers()).length === 0, 30)
  })

  it('say which image is missing when it may not be pulled', async () => {
    const config = {image: 'localhost/none:9', pull: 'never'}
    const execution = await service.run({handlers: [docker('none', 'true', {config})]})
    expect(execution.steps?.[0]?.error).to.equal(
      'the container engine has no image localhost/none:9, and pull is never',
    )
  })

  it('say why an image could not be pulled', async () => {
    const config = {image: '127.0.0.1:9/none:9'}
    const execution = await service.run({handlers: [docker('none', 'true', {config})]})
    expect(execution.steps?.[0]?.error).to.match(/^cannot pull 127\.0\.0\.1:9\/none:9: .*refused/)
  })

  it('say which program the image does not have', async () => {
    const execution = await service.run({handlers: [docker('none', ['/bin/nothing'])]})
    expect(execution.steps?.[0]?.error).to.match(/\/bin\/nothing/)
  })

  it('are planned with the digest of the image, the command and what is mounted, and do not run', async () => {
    const config = {mounts: ['data:/in'], limits: {memory: '64Mi', cpu: '500m'}}
    const execution = await service.run(
      {handlers: [docker('make', 'echo hello > /tmp/x', {config})]},
      {dry_run: true, parameters: {name: 'Ada'}},
    )
    expect(execution.status).to.equal('completed')
    const [digest] = (await podman.command('image', 'inspect', '--format', '{{.Digest}}', IMAGE)).split('\n')
    expect(text(execution.logs)).to.contain(`Handler make: would run ${IMAGE}: ${digest}`)
    expect(text(execution.logs)).to.contain('with /bin/sh: echo hello > /tmp/x')
    expect(text(execution.logs)).to.contain('network none, limits: memory 64Mi, cpu 500m')
    expect(text(execution.logs)).to.contain('mounts: data at /in')
    expect(text(execution.logs)).to.contain('environment from parameters and config: NAME')
  })
})
