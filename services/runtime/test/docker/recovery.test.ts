import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {IMAGE, requirePodman, type Podman} from '../support/docker/podman.ts'
import {shell, Trust} from '../support/packages.ts'
import {ServerProcess} from '../support/process.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

describe('a runtime that is killed while its container runs', function () {
  this.timeout(120_000)
  let podman: Podman
  let directory: string
  let trust: Trust
  let server: ServerProcess
  const given = process.env['DOCKER_HOST']
  before(async function () {
    this.timeout(3 * STARTUP_MS)
    podman = await requirePodman(this)
    process.env['DOCKER_HOST'] = `unix://${podman.socket}`
    directory = mkdtempSync(join(tmpdir(), 'docker-recovery-'))
    trust = await Trust.create()
    server = await ServerProcess.start(directory, trust.policyFile)
  })
  after(async () => {
    await server?.kill('SIGKILL')
    await podman?.stop()
    if (directory) rmSync(directory, {recursive: true, force: true})
    if (given === undefined) delete process.env['DOCKER_HOST']
    else process.env['DOCKER_HOST'] = given
  })

  it('removes it at the next start, and runs the step anew', async () => {
    const command =
      'echo up >> /state/runs; if [ $(wc -l < /state/runs) -gt 1 ]; then echo again; else echo first; sleep 300; fi'
    const handlers = [
      shell('prepare', 'mkdir -m 777 state'),
      {name: 'box', type: 'docker', config: {image: IMAGE, command, mounts: ['state:/state:rw']}},
    ]
    const content = await trust.sign({handlers})
    const answer = await server.post('/execute', {workflow_id: 'test-package-1.0.0', wpk_content: content})
    const id = String(answer.body['execution_id'])
    const name = `atomctl-${id}-handler-1`
    await eventually(
      'the container runs',
      async () => (await podman.command('logs', name).catch(() => '')).includes('first'),
      60,
    )
    await server.kill('SIGKILL')
    const [orphan] = await podman.containers()
    expect(orphan).to.be.a('string')
    server = await ServerProcess.start(directory, trust.policyFile)
    const execution = await eventually(
      'it ended',
      async () => {
        const found = await server.get(`/execute/${id}`)
        return found['completed_at'] ? found : undefined
      },
      60,
    )
    expect(execution['status'], JSON.stringify(execution['logs'])).to.equal('completed')
    expect(execution['logs']).to.include('[box] again')
    expect(String(execution['logs'])).to.contain('removing the container of an earlier attempt')
    expect(await podman.containers()).to.deep.equal([])
  })
})
