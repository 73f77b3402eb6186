import type {CancelReply} from '@atomctl/protocol/runtime'
import {printable, type View} from '@atomctl/sdk/output'

/** The answer to cancel and the like. */
export const controlView = (done: string): View<CancelReply> => ({
  kind: 'Execution',
  text: ({execution_id: id, status}, style) =>
    `${style.good('[SUCCESS]')} ${done}\n  Execution ID: ${printable(id)}\n  Status: ${printable(status)}`,
  names: ({execution_id: id}) => [id],
})
