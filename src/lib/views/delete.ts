import type {View} from '@atomctl/sdk/output'

export interface DeletedWorkflow {
  id: string
  registry: string
}

export const deleteView: View<DeletedWorkflow> = {
  kind: 'DeletedWorkflow',
  text: ({id}, style) => `${style.good('[SUCCESS]')} Workflow deleted\n  Workflow ID: ${id}`,
  names: ({id}) => [id],
}
