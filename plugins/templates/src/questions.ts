import {AtomError} from '@atomctl/sdk/errors'
import {oneLine} from '@atomctl/sdk/output'
import {askText} from '@atomctl/sdk/prompt'
import {nameProblem} from './names.ts'
import type {Template} from './template.ts'
import type {TemplateEntry} from './views.ts'

/** @throws INPUT_REQUIRED naming what to write instead of answering */
export function requireAnswerable(interactive: boolean, missing: string, hint: string): void {
  if (!interactive) {
    throw new AtomError('INPUT_REQUIRED', `${missing} is missing and there is no terminal to ask on`, {hint})
  }
}

/** Shows the templates and asks for one: a name, or anything else `--template` takes. */
export async function askTemplate(entries: readonly TemplateEntry[]): Promise<string> {
  const width = Math.max(...entries.map(({name}) => name.length))
  for (const {name, description} of entries) {
    process.stderr.write(`  ${name.padEnd(width)}  ${oneLine(description)}\n`)
  }
  return askText('Template', 'hello')
}

export async function askName(template: string): Promise<string> {
  const offered = nameProblem(template) === undefined ? template : 'my-workflow'
  for (;;) {
    const name = await askText('Name of the package', offered)
    const problem = nameProblem(name)
    if (problem === undefined) return name
    process.stderr.write(`${JSON.stringify(name)} ${problem}\n`)
  }
}

/** Asks for what the template leaves open; an empty answer leaves it to each run. */
export async function askValues(
  {document}: Template,
  author: string,
  given: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const answers = new Map(given)
  if (!given.has('author')) answers.set('author', await askText('Author', author))
  for (const {name, type, required, description = ''} of document.wpk.spec.parameters ?? []) {
    if (!required || type === 'secret' || given.has(name)) continue
    const about = description === '' ? type : `${type}: ${oneLine(description)}`
    const answer = await askText(`${name} (${about}; empty: given at each run)`)
    if (answer !== '') answers.set(`params.${name}`, answer)
  }
  return answers
}
