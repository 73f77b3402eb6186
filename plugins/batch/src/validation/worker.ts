import {parentPort, workerData} from 'node:worker_threads'
import {checkFiles, type CheckOptions} from './check.ts'

// One thread of the pool: gets paths, answers with what became of them, until the pool ends it.
parentPort?.on('message', (paths: readonly string[]) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void checkFiles(paths, workerData as CheckOptions).then((items) => parentPort?.postMessage(items))
})
