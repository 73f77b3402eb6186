import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import {readShipped, shippedNames} from './shipped.ts'
import {TemplateStore} from './store.ts'
import type {Template} from './template.ts'

/** Every template that has a name: the person's own first. One that cannot be read is a warning. */
export async function listTemplates({environment, warnings}: AtomContext): Promise<Template[]> {
  const store = new TemplateStore(environment)
  const [own, shipped] = await Promise.all([store.names(), shippedNames()])
  const readable: Template[] = []
  for (const name of own) {
    try {
      readable.push(await store.read(name))
    } catch (error) {
      if (!isAtomError(error)) throw error
      warnings.push(`the template ${name} cannot be used: ${error.message}`)
    }
  }
  return [...readable, ...(await Promise.all(shipped.map(readShipped)))]
}
