import type {CancelReply} from '@atomctl/protocol/runtime'
import {printable, type View} from '@atomctl/sdk/output'

/** The answer to cancel and the like. */
export const controlView = <T extends Pick<CancelReply, 'execution_id' | 'status'>>(done: string): View<T> => ({
  kind: 'Execution',
  text: ({execution_id: id, status}, style) =>
    `${style.good('[SUCCESS]')} ${done}\n  Execution ID: ${printable(id)}\n  Status: ${printable(status)}`,
  names: ({execution_id: id}) => [id],
})
