import type {CompletionAnswer, CompletionRequest} from '@atomctl/sdk/completion'
import {getContext} from '@atomctl/sdk/context'
import type {Interfaces} from '@oclif/core'

/** Answers completion: names of templates, those of the person's own, and the parameters of one. */
export default async function completeTemplates({
  kind,
  subject,
  config,
}: CompletionRequest & {config: Interfaces.Config}): Promise<CompletionAnswer> {
  if (!['template', 'own-template', 'template-parameter'].includes(kind)) return undefined
  const {listTemplates} = await import('../catalogue.ts')
  const templates = await listTemplates(getContext(config))
  if (kind === 'template-parameter') return parametersOf(templates.find(({name}) => name === subject))
  return templates
    .filter(({origin}) => kind === 'template' || origin === 'yours')
    .map(({name, document}) => ({value: name, description: document.wpk.metadata.description}))
}

function parametersOf(template: {document: {wpk: {spec: {parameters?: Parameters | undefined}}}} | undefined) {
  if (!template) return []
  const own = ['author', 'description', 'version'].map((value) => ({value, description: `${value} of the package`}))
  const parameters = template.document.wpk.spec.parameters ?? []
  return [...own, ...parameters.map(({name, description}) => ({value: name, description}))].map((one) => ({
    ...one,
    values: [],
  }))
}

type Parameters = readonly {readonly name: string; readonly description?: string | undefined}[]
