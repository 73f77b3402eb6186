import {userInfo} from 'node:os'
import {dirname} from 'node:path'
import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import {oneLine} from '@atomctl/sdk/output'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {listTemplates} from '../catalogue.ts'
import {fillTemplate} from '../fill.ts'
import {readGitAuthor} from '../git.ts'
import {requireName} from '../names.ts'
import {openTemplate} from '../open.ts'
import {askName, askTemplate, askValues, requireAnswerable} from '../questions.ts'
import type {Template} from '../template.ts'
import {type CreatedPackage, entryOf, initView} from '../views.ts'
import {writePackage} from '../write.ts'

export default class Init extends AtomCommand {
  static override summary = 'Start a package from a template'
  static override description = `Writes NAME.wpk.yaml, or NAME/ for a template with files, ready to validate, sign, push and run; templates that come with
atomctl bring tests, NAME.wpktest.yaml. Without NAME or --template it
asks, on a terminal. -p fills in author, description and version, or gives a parameter of the template a default.
"templates list" shows the templates; a file, a directory, a git URL or a workflow ID is one as well.`
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init restart-web --template restart',
    '<%= config.bin %> init restart-web --template restart -p author="Team Web" -p namespace=staging -p deployment=web',
    '<%= config.bin %> init drain --template https://git.example.com/platform/runbooks.git#main:drain --dir runbooks',
  ]
  static override args = {
    name: Args.string({description: 'Name of the package', ignoreStdin: true}),
  }
  static override flags = {
    ...registryFlag,
    ...trustPolicyFlag,
    template: Flags.string({
      char: 't',
      description: 'Name, file, directory, git URL or workflow ID',
      helpValue: 'TEMPLATE',
    }),
    param: Flags.string({
      char: 'p',
      description: 'author, description, version, or the default of a parameter; may be repeated',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    dir: Flags.string({char: 'd', description: 'Where to write it', default: '.', helpValue: 'DIR'}),
    force: Flags.boolean({char: 'f', description: 'Replace what is there'}),
  }
  static override completion = {flags: {param: 'template-parameter@template'}}

  async run(): Promise<CreatedPackage> {
    const {args, flags} = await this.parse(Init)
    const given = readPairs(flags.param ?? [])
    if (args.name !== undefined) requireName(args.name, 'package')
    if (flags.template === undefined) requireAnswerable(this.interactive, 'the template', 'add --template hello')
    if (args.name === undefined) requireAnswerable(this.interactive, 'the name', 'atomctl init NAME --template hello')
    const chosen = flags.template ?? (await askTemplate((await listTemplates(this.atom)).map(entryOf)))
    await using open = await openTemplate(chosen, this.atom)
    const {template} = open
    const name = args.name ?? (await askName(template.name))
    const asks = args.name === undefined || flags.template === undefined
    const author = given.get('author') ?? (await readGitAuthor(this.atom.environment)) ?? userInfo().username
    const values = asks ? await askValues(template, author, given) : given
    const filling = {name, author, values, created: new Date().toISOString().replace(/\.\d+Z$/, 'Z')}
    return await this.#write(template, name, await fillTemplate(template, filling), flags)
  }

  async #write(
    template: Template,
    name: string,
    text: string,
    {dir, force}: {dir: string; force: boolean},
  ): Promise<CreatedPackage> {
    const {loadDocument, setScalar} = await import('@atomctl/wpk/document')
    const document = loadDocument(Buffer.from(text), `${name}.wpk.yaml`)
    const {files} = template
    const test = template.test === undefined ? undefined : setScalar(template.test, ['package'], `${name}.wpk.yaml`)
    const written = await this.atom.interruption.defer(() => writePackage({name, text, files, test}, dir, force))
    const [file = ''] = written
    await this.#warnOfFindings(document, file)
    return this.emit(initView, {
      id: document.id,
      template: template.name,
      file,
      path: files.length > 0 ? dirname(file) : file,
      files: written,
      required: (document.wpk.spec.parameters ?? []).filter(({required}) => required).map((one) => one.name),
    })
  }

  /** A template from elsewhere may be one that the security policy has something to say about. */
  async #warnOfFindings(document: Template['document'], file: string): Promise<void> {
    const {lint} = await import('@atomctl/wpk/lint')
    const findings = lint(document.value).findings.filter(({suppressed}) => suppressed === undefined)
    if (findings.length === 0) return
    this.warn(`the security policy has ${findings.length} findings: atomctl validate ${oneLine(file)}`)
  }
}

function readPairs(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
      throw new AtomError('PARAMETER_INVALID', `-p ${JSON.stringify(pair)} is not key=value`, {
        hint: '-p author="Team Web"',
      })
    }),
  )
}
