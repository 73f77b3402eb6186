import {oneLine, renderTable, type View} from '@atomctl/sdk/output'
import type {ContextEntry} from '../contexts.ts'

export const contextListView: View<ContextEntry[]> = {
  kind: 'ContextList',
  text: (contexts) =>
    contexts.length === 0
      ? 'No contexts. Make one: atomctl context create NAME --registry-url URL --runtime-url URL'
      : renderTable(
          ['', 'NAME', 'REGISTRY', 'RUNTIME', 'TOKEN', 'PROTECTED'],
          contexts.map((context) => row(context)),
        ),
  wide: (contexts) =>
    renderTable(
      ['', 'NAME', 'REGISTRY', 'RUNTIME', 'TOKEN', 'PROTECTED', 'DEFINED IN'],
      contexts.map((context) => [...row(context), oneLine(context.origin)]),
    ),
  names: (contexts) => contexts.map(({name}) => name),
  items: (contexts) => contexts,
}

function row({current, name, registryUrl, runtimeUrl, token, protected: guarded}: ContextEntry): string[] {
  return [current ? '*' : '', name, registryUrl ?? '-', runtimeUrl ?? '-', token ? 'set' : '-', guarded ? 'yes' : 'no']
}

/** The one line of a change; `done` is what happened to the context. */
export function contextChangeView(done: string): View<{name: string}> {
  return {
    kind: 'Context',
    text: ({name}, style) => `${style.good('[SUCCESS]')} Context ${name} ${done}`,
    names: ({name}) => [name],
  }
}
