import {mkdir, mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {
  editConfigurationFile,
  type Environment,
  type FlagValues,
  loadSources,
  resolveConfiguration,
} from '@atomctl/sdk/config'
import {expect} from 'chai'

describe('configuration', () => {
  let home: string
  let project: string
  let environment: Environment

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'atomctl-config-'))
    project = join(home, 'project', 'deep')
    await mkdir(project, {recursive: true})
    await mkdir(join(home, '.atomctl'))
    environment = {HOME: home}
  })
  afterEach(() => rm(home, {recursive: true, force: true}))

  const userFile = (): string => join(home, '.atomctl', 'config.yaml')
  const writeUser = (text: string): Promise<void> => writeFile(userFile(), text)
  const writeProject = (text: string): Promise<void> => writeFile(join(home, 'project', '.atomctl.yaml'), text)
  const resolve = async (flags: FlagValues = {}, extra: Environment = {}) =>
    resolveConfiguration(await loadSources({...environment, ...extra}, project), flags)

  it('has the registry and the runtime of the original on localhost by default', async () => {
    const configuration = await resolve()
    expect(configuration.text('registry_url')).to.equal('http://localhost:8000')
    expect(configuration.text('runtime_url')).to.equal('http://localhost:4000')
    expect(configuration.get('registry_url')?.origin.kind).to.equal('default')
  })

  it('takes a flag before the environment before the project before the user before the default', async () => {
    await writeUser('registry_url: http://user.test\n')
    expect((await resolve()).text('registry_url')).to.equal('http://user.test')
    await writeProject('registry_url: http://project.test\n')
    expect((await resolve()).text('registry_url')).to.equal('http://project.test')
    const variable = {ATOMCTL_REGISTRY_URL: 'http://environment.test'}
    expect((await resolve({}, variable)).text('registry_url')).to.equal('http://environment.test')
    expect((await resolve({registry_url: 'http://flag.test'}, variable)).text('registry_url')).to.equal(
      'http://flag.test',
    )
  })

  it('says where a value came from, with file and line', async () => {
    await writeUser('# mine\nregistry_url: http://user.test\n')
    expect((await resolve()).get('registry_url')?.origin.where).to.match(/config\.yaml:2:\d+$/)
  })

  it('puts the values of the selected context before the rest of the same file', async () => {
    await writeUser(`registry_url: http://top.test
current_context: staging
contexts:
  staging:
    registry_url: http://staging.test
  prod:
    registry_url: http://prod.test
    protected: true
`)
    expect((await resolve()).text('registry_url')).to.equal('http://staging.test')
    const chosen = await resolve({current_context: 'prod'})
    expect(chosen.text('registry_url')).to.equal('http://prod.test')
    expect(chosen.context()?.value.protected).to.equal(true)
  })

  it('reads what the Python CLI wrote, null meaning not set', async () => {
    await writeUser('auth_token: null\nregistry_url: http://localhost:8000\nruntime_url: http://localhost:4000\n')
    expect((await resolve()).get('auth_token')).to.equal(undefined)
    expect((await resolve()).text('registry_url')).to.equal('http://localhost:8000')
  })

  it("keeps a context of the user's protected, whatever a project's file says about it", async () => {
    await writeUser('current_context: prod\ncontexts:\n  prod: {registry_url: http://user.test, protected: true}\n')
    await writeProject('contexts:\n  prod: {registry_url: http://project.test, protected: false}\n')
    const context = (await resolve()).context()
    expect(context?.value).to.deep.equal({registry_url: 'http://project.test', protected: true})
    await writeUser('current_context: prod\ncontexts:\n  prod: {registry_url: http://user.test}\n')
    expect((await resolve()).context()?.value.protected).to.equal(false)
    await writeProject('contexts:\n  prod: {protected: true}\n')
    expect((await resolve()).context()?.value.protected).to.equal(true)
  })

  it('refuses a context that no file defines', async () => {
    const configuration = await resolve({current_context: 'nowhere'})
    expect(() => configuration.context()).to.throw('there is no context named "nowhere"')
  })

  describe('the token', () => {
    it('goes to the URLs configured beside it', async () => {
      await writeUser('registry_url: http://registry.test\nauth_token: "t1"\n')
      const configuration = await resolve()
      expect(configuration.tokenFor('http://registry.test/x')).to.equal('t1')
      expect(configuration.tokenFor('http://localhost:4000')).to.equal('t1')
    })

    it('never goes to a URL that a flag or a project file names', async () => {
      await writeUser('registry_url: http://registry.test\nauth_token: "t1"\n')
      await writeProject('registry_url: http://evil.test\n')
      const project = await resolve()
      expect(project.text('registry_url')).to.equal('http://evil.test')
      expect(project.tokenFor('http://evil.test')).to.equal(undefined)
      const flag = await resolve({registry_url: 'http://other.test'})
      expect(flag.tokenFor('http://other.test')).to.equal(undefined)
    })

    it('of the environment follows the caller, but not a project file', async () => {
      const token = {ATOMCTL_AUTH_TOKEN: 't2'}
      expect((await resolve({registry_url: 'http://flag.test'}, token)).tokenFor('http://flag.test')).to.equal('t2')
      await writeProject('registry_url: http://evil.test\n')
      expect((await resolve({}, token)).tokenFor('http://evil.test')).to.equal(undefined)
    })

    it('of one context never goes to the URL of another', async () => {
      await writeUser(`auth_token: "top"
contexts:
  dev: {registry_url: "http://dev.test", auth_token: "dev"}
  prod: {registry_url: "http://prod.test"}
`)
      expect((await resolve({current_context: 'dev'})).tokenFor('http://dev.test')).to.equal('dev')
      expect((await resolve({current_context: 'prod'})).tokenFor('http://prod.test')).to.equal(undefined)
    })

    it('is not fooled by another port, scheme or a longer host', async () => {
      await writeUser('registry_url: https://registry.test\nauth_token: "t"\n')
      const configuration = await resolve()
      for (const url of ['http://registry.test', 'https://registry.test:8443', 'https://registry.test.evil.test']) {
        expect(configuration.tokenFor(url), url).to.equal(undefined)
      }
    })
  })

  describe('a broken file', () => {
    const broken: [string, string, RegExp][] = [
      ['YAML that does not parse', 'registry_url: [\n', /config\.yaml:\d+:\d+: /],
      [
        'an unknown key',
        'registry_url: http://x.test\nregistri: z1\n',
        /config\.yaml:2:\d+: registri: there is no such setting/,
      ],
      ['a wrong type', 'registry_url: 7\n', /config\.yaml:1:\d+: registry_url: /],
      ['a URL with another scheme', 'registry_url: ftp://x.test\n', /registry_url: not an http or https URL/],
      ['a URL with credentials', 'registry_url: http://a:b@x.test\n', /registry_url: not an http or https URL/],
      ['a list at the top', '- a\n', /config\.yaml/],
      ['a duration nobody understands', 'request_timeout: soon\n', /request_timeout: not a duration/],
    ]
    for (const [name, text, message] of broken) {
      it(`with ${name} is refused, naming file, line and key`, async () => {
        await writeUser(text)
        const error = await loadSources(environment, project).catch((reason: unknown) => reason)
        expect(error).to.have.property('code', 'CONFIG_INVALID')
        expect((error as Error).message).to.match(message)
      })
    }

    it('that is empty or holds only comments is no configuration at all', async () => {
      for (const text of ['', '\n', '# nothing yet\n\n  # here\n']) {
        await writeUser(text)
        expect((await resolve()).text('registry_url'), JSON.stringify(text)).to.equal('http://localhost:8000')
      }
    })

    it('that is a directory is refused', async () => {
      await mkdir(userFile())
      const error = await loadSources(environment, project).catch((reason: unknown) => reason)
      expect((error as Error).message).to.contain('is a directory')
    })

    it('never shows the token in its error', async () => {
      await writeUser('auth_token: {deep: "s3cr3t-token"}\n')
      const error = await loadSources(environment, project).catch((reason: unknown) => reason)
      expect((error as Error).message).not.to.contain('s3cr3t-token')
    })
  })

  describe('editing', () => {
    it('keeps comments and order, and writes a private file', async () => {
      await writeUser('# mine\nruntime_url: http://a.test # why\n')
      await editConfigurationFile(userFile(), [{path: ['registry_url'], value: 'http://b.test'}])
      const text = await readFile(userFile(), 'utf8')
      expect(text).to.contain('# mine\nruntime_url: http://a.test # why\n').and.to.contain('http://b.test')
      expect((await stat(userFile())).mode & 0o777).to.equal(0o600)
    })

    it('creates the file and its directory where there is none', async () => {
      await rm(join(home, '.atomctl'), {recursive: true})
      await editConfigurationFile(userFile(), [{path: ['contexts', 'dev', 'registry_url'], value: 'http://b.test'}])
      expect((await resolve({current_context: 'dev'})).text('registry_url')).to.equal('http://b.test')
      expect((await stat(join(home, '.atomctl'))).mode & 0o777).to.equal(0o700)
    })

    it('refuses a value the file could not be read with again, and changes nothing', async () => {
      await writeUser('registry_url: http://a.test\n')
      const error = await editConfigurationFile(userFile(), [{path: ['registry_url'], value: 'nonsense'}]).catch(
        (reason: unknown) => reason,
      )
      expect(error).to.have.property('code', 'CONFIG_INVALID')
      expect(await readFile(userFile(), 'utf8')).to.equal('registry_url: http://a.test\n')
    })

    it('will not touch a file that is broken already', async () => {
      await writeUser('registry_url: [\n')
      const error = await editConfigurationFile(userFile(), [{path: ['registry_url'], value: 'http://b.test'}]).catch(
        (reason: unknown) => reason,
      )
      expect(error).to.have.property('code', 'CONFIG_INVALID')
      expect(await readFile(userFile(), 'utf8')).to.equal('registry_url: [\n')
    })
  })
})
