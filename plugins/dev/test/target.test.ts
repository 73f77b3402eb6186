import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Configuration, loadSources, resolveConfiguration} from '@atomctl/sdk/config'
import {expect} from 'chai'
import {type DevContext, writeContext} from '../src/target.ts'

const SERVICES = {registry_url: 'http://127.0.0.1:8000', runtime_url: 'http://127.0.0.1:4000'}

describe('the context of the background services', () => {
  let home: string
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'atomctl-target-'))))
  afterEach(() => rmSync(home, {recursive: true, force: true}))

  const read = (): string => readFileSync(join(home, 'config.yaml'), 'utf8')
  const load = async (more: Record<string, string> = {}): Promise<Configuration> =>
    resolveConfiguration(await loadSources({ATOMCTL_HOME: home, ...more}, home))
  const write = async (more: Record<string, string> = {}): Promise<DevContext> =>
    writeContext(SERVICES, 'a-token', await load(more), {ATOMCTL_HOME: home, ...more})

  it('is written and current where nothing was configured', async () => {
    expect(await write()).to.deep.equal({name: 'dev', current: true})
    const configuration = await load()
    expect(configuration.context()).to.deep.include({name: 'dev'})
    expect(configuration.tokenFor(`${SERVICES.registry_url}/workflows`)).to.equal('a-token')
  })

  it('is not written again when nothing changed', async () => {
    await write()
    writeFileSync(join(home, 'config.yaml'), `# kept\n${read()}`)
    const before = read()
    expect(await write()).to.deep.equal({name: 'dev', current: true})
    expect(read()).to.equal(before)
  })

  it('follows services that moved to other ports', async () => {
    await write()
    await writeContext({...SERVICES, runtime_url: 'http://127.0.0.1:4001'}, 'a-token', await load(), {
      ATOMCTL_HOME: home,
    })
    expect((await load()).text('runtime_url')).to.equal('http://127.0.0.1:4001')
  })

  it('leaves another target current, and comments where they are', async () => {
    const mine = '# the team registry\nregistry_url: https://registry.example # shared\n'
    writeFileSync(join(home, 'config.yaml'), mine)
    expect(await write()).to.deep.equal({name: 'dev', current: false})
    expect(read().startsWith(mine)).to.equal(true)
    expect(read()).not.to.contain('current_context')
  })

  it('leaves a target that a variable names current', async () => {
    expect(await write({ATOMCTL_REGISTRY_URL: 'https://registry.example'})).to.include({current: false})
  })

  const foreign = {
    'points elsewhere': 'registry_url: https://dev.example\n    runtime_url: https://run.example',
    'points nowhere yet': 'auth_token: mine',
    'is protected': 'registry_url: http://127.0.0.1:9\n    runtime_url: http://127.0.0.1:9\n    protected: true',
  }
  for (const [what, text] of Object.entries(foreign)) {
    it(`has another name when the one called dev ${what}`, async () => {
      const mine = `contexts:\n  dev:\n    ${text}\n`
      writeFileSync(join(home, 'config.yaml'), mine)
      expect((await write()).name).to.equal('dev-local')
      expect(read()).to.contain(mine)
    })
  }
})
