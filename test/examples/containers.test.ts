import {copyFileSync, mkdirSync, writeFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {requirePodman, type Podman} from '../../services/runtime/test/support/docker/podman.ts'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/checksum-report.wpk.yaml', import.meta.url))
const IMAGE = 'docker.io/library/busybox:1.36.1'

describe('the example with a container', function () {
  this.timeout(120_000)
  let podman: Podman
  let sandbox: Sandbox
  before(async function () {
    // Stands for busybox, which no registry could give us here.
    podman = await requirePodman(this, [IMAGE])
    sandbox = await createSandbox()
    copyFileSync(EXAMPLE, sandbox.path('checksum-report.wpk.yaml'))
    await trustOwnKey(sandbox)
    expect((await sandbox.atomctl(['sign', 'checksum-report.wpk.yaml'])).code).to.equal(0)
    mkdirSync(sandbox.path('files'))
    writeFileSync(sandbox.path('files/a'), 'abc')
  })
  after(async () => {
    await sandbox?.[Symbol.asyncDispose]()
    await podman?.stop()
  })

  const run = (...flags: string[]) =>
    sandbox.atomctl(
      ['run', 'checksum-report.wpk.yaml', '--local', '-p', `directory=${sandbox.path('files')}`, ...flags],
      {env: {DOCKER_HOST: `unix://${podman.socket}`}},
    )

  it('tells in a dry run the digest of the image and the command', async () => {
    const {code, stdout, stderr} = await run('--dry-run')
    expect(code, stderr).to.equal(0)
    expect(stdout + stderr).to.match(new RegExp(`would run ${IMAGE}: sha256:[0-9a-f]{64}`))
    expect(stdout + stderr).to.contain('checksums of $DIRECTORY')
  })

  it('lists the checksums, hands their number on, and leaves no container behind', async () => {
    const {code, stdout, stderr} = await run()
    expect(code, stdout + stderr).to.equal(0)
    expect(stdout + stderr).to.contain('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a')
    expect(stdout + stderr).to.contain('1 files checked')
    expect(await podman.containers()).to.deep.equal([])
  })
})
