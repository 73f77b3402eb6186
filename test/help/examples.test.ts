import {expect} from 'chai'
import {identityToken, startSigstore, type LoopbackSigstore} from '../interop/sigstore/index.ts'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {startServices, stopServices} from '../support/services.ts'
import {readAllCommands} from '../../scripts/reference.ts'
import {Scene, SHOWN} from './scene.ts'

/** Examples that are not run, each with its reason. Everything else is, as it stands. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/git\.example\.com|id\.example\.com|vault\.example\.com/, 'asks a server that is only an example'],
  [/public-good|@acme\/atomctl-plugin-hello@|plugins update/, 'asks a registry that is only an example'],
  [/^atomctl login --vault --vault-secret/, 'asks the Vault of VAULT_ADDR'],
  [/rotate-secret-2\.1\.0 --registry-url/, 'asks a registry that is only an example'],
  [/localhost:8000$|^atomctl dev up$/, 'takes the usual ports, which may be taken here'],
  [/^atomctl serve |postgresql:/, 'runs until it is stopped'],
  [/^atomctl version --check/, 'asks the server of update_url'],
  [/^atomctl init$/, 'asks questions on a terminal'],
  [/powershell/, 'is for PowerShell'],
  [/fish \| source|completion uninstall fish/, 'is for fish'],
  [/certificate-identity me@/, 'wants a signature of that person'],
]

/** Keys, signatures and a policy, as a team would have them. */
const PREPARE = [
  'atomctl keys generate --trust',
  'atomctl keys generate --output-key-prefix release --trust',
  'atomctl keys generate --output-key-prefix second --trust',
  'mkdir policies && cp ~/.atomctl/trust-policy.yaml policies/production.yaml && cp -r ~/.atomctl/keys policies/',
  'atomctl batch sign . --key cosign.key',
].join(' && ')

/** A repository in which one package differs from its main branch. */
const COMMIT =
  'git init -q -b main . && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm start && echo >> runbooks/three.wpk.yaml'

/** What has to be there before an example, as a script in the directory it runs in. */
const BEFORE: readonly (readonly [RegExp, string])[] = [
  [/^atomctl completion zsh/, 'mkdir -p ~/.zsh/completions'],
  [/^atomctl context (use|delete) staging/, 'atomctl context create staging --registry-url http://localhost:1 --force'],
  [/^atomctl config .*--context prod/, 'atomctl context create prod --auth-token - --force < token-file'],
  [/^atomctl context delete/, 'atomctl context create other && atomctl context use other'],
  [/^atomctl doctor --context prod/, 'atomctl context create prod --registry-url "$(atomctl config get registry_url)"'],
  [/^atomctl context create prod/, 'rm -f ~/.atomctl/config.yaml'],
  [/^atomctl plugins link/, 'atomctl plugins uninstall @acme/atomctl-plugin-hello || true'],
  [/^atomctl whoami/, 'atomctl login --token-stdin < token-file'],
  [/^atomctl plugins (inspect|uninstall)/, 'atomctl plugins install ./atomctl-plugin-hello-1.0.0.tgz --trust'],
  [/^atomctl plugins untrust/, "atomctl plugins trust '@acme/*' --key acme.pub"],
  [/^atomctl keys (generate|import)/, 'rm -f cosign.key cosign.pub'],
  [/^atomctl trust-policy init/, 'rm -rf policies'],
  [/^git diff/, COMMIT],
  [/collect-diagnostics|sign --detached restart/, 'atomctl pack restart-unhealthy.wpk.yaml'],
  [/^atomctl verify .*--append|--signer 2/, 'atomctl sign restart-unhealthy.wpk.yaml --append --key second.key'],
  [/^atomctl verify .*tar\.gz/, 'atomctl pack restart-unhealthy.wpk.yaml --sign'],
  [/^atomctl verify report/, 'atomctl sign --detached report.pdf'],
  [/^atomctl batch (push|verify).*dist/, 'atomctl batch pack teams --out-dir dist --sign --key cosign.key'],
  [/^atomctl templates remove/, 'atomctl templates add ./runbooks/restart-payments.wpk.yaml --name drain'],
  [
    /--plan plan\.json/,
    'atomctl run restart-unhealthy-1.0.0 -p namespace=production --dry-run --wait --plan-out plan.json',
  ],
]

/** What the others exit with that have something to say. */
const EXITS: readonly (readonly [RegExp, number])[] = [
  [/^atomctl doctor --context prod/, 1], // a registry that wants a login, and a runtime that is not there
]

/** Commands of the settings, whose examples would point all others to registry.example.com. */
const APART = /^(config|context|completion|login|logout|whoami|plugins|version|trust-policy:init)\b/

const examples = readAllCommands().flatMap(({id, examples: list = []}) =>
  list.map((example) => {
    const text = typeof example === 'string' ? example : example.command
    const command = text
      .replaceAll('<%= config.bin %>', 'atomctl')
      .replaceAll('<%= command.id %>', id.replaceAll(':', ' '))
    return {id, command, reason: LEFT_OUT.find(([pattern]) => pattern.test(command))?.[1]}
  }),
)

describe('the examples of --help', function () {
  this.timeout(120_000)

  function run(scene: () => Scene, belongs: (id: string) => boolean): void {
    for (const {command, reason} of examples.filter((example) => belongs(example.id))) {
      const shown = command.split('\n')[0] ?? command
      if (reason !== undefined) {
        it.skip(`${shown} (${reason})`)
        continue
      }
      it(`${shown} works as it stands`, async () => {
        await scene().restore()
        for (const [, script] of BEFORE.filter(([pattern]) => pattern.test(command))) await scene().must(script)
        const {code, stdout, stderr} = await scene().run(await withExecution(scene(), command))
        const expected = EXITS.find(([pattern]) => pattern.test(command))?.[1] ?? 0
        expect(code, `${stdout.slice(-1500)}\n${stderr.slice(-1500)}`).to.equal(expected)
      })
    }
  }

  describe('about settings and plugins', () => {
    let sandbox: Sandbox
    let scene: Scene
    before(async () => {
      sandbox = await createSandbox()
      scene = new Scene(sandbox, {SHELL: '/bin/bash'})
      await scene.writeFiles()
      await scene.keep()
    })
    after(() => sandbox[Symbol.asyncDispose]())
    run(
      () => scene,
      (id) => APART.test(id),
    )
  })

  describe('about packages', () => {
    let sandbox: Sandbox
    let scene: Scene
    let sigstore: LoopbackSigstore
    before(async () => {
      ;[sandbox, sigstore] = await Promise.all([createSandbox(), startSigstore()])
      scene = new Scene(sandbox, {SIGSTORE_ID_TOKEN: identityToken({sub: 'me@example.com'})})
      await scene.writeFiles()
      await scene.writeSigstore(sigstore)
      await scene.must(PREPARE)
      await scene.keep()
      await startServices(sandbox)
      await scene.must('atomctl batch push *.wpk.yaml packages next')
    })
    after(async () => {
      await stopServices(sandbox)
      await sandbox[Symbol.asyncDispose]()
      await sigstore[Symbol.asyncDispose]()
    })
    // what takes away comes last
    const last = (id: string): boolean => /^(delete|dev:(down|reset))/.test(id)
    run(
      () => scene,
      (id) => !APART.test(id) && !last(id),
    )
    run(() => scene, last)
  })
})

/** The example, with the id of an execution for which it makes sense. */
async function withExecution(scene: Scene, command: string): Promise<string> {
  return command.includes(SHOWN) ? command.replaceAll(SHOWN, await executionFor(scene, command)) : command
}

async function executionFor(scene: Scene, command: string): Promise<string> {
  if (/approve|reject/.test(command)) return start(scene, 'careful-1.0.0')
  if (command.includes(' cancel ')) return start(scene, 'slow-1.0.0')
  if (!command.includes(' retry '))
    return scene.must(`atomctl run restart-unhealthy-1.0.0 -p namespace=staging --wait -q`)
  await scene.run('atomctl run flaky-1.0.0 --wait')
  await scene.must('touch mark')
  return scene.must('atomctl executions --workflow flaky-1.0.0 --status failed -q | head -n 1')
}

/** One that does not end by itself; waiting for approval exits with 8. */
async function start(scene: Scene, id: string): Promise<string> {
  const {stdout} = await scene.run(`atomctl run ${id} -o json`)
  return (JSON.parse(stdout) as {data: {execution_id: string}}).data.execution_id
}
