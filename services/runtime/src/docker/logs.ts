import {setTimeout as delay} from 'node:timers/promises'
import {EngineError, type ContainerEngine} from './engine.ts'
import {FrameReader} from './frames.ts'

const MOST_BREAKS = 3
const PAUSE_MS = 200

type OnOutput = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void

/**
 * Follows what a container writes until it ends, or the signal ends it. The engine keeps it, so after a connection
 * that broke it is read again from the start, without what has been passed on already. Answers why something is
 * missing; never rejects.
 */
export async function followLogs(
  engine: ContainerEngine,
  container: string,
  signal: AbortSignal,
  onOutput: OnOutput,
): Promise<string | undefined> {
  const passed = {stdout: 0, stderr: 0}
  for (let breaks = 0; ; breaks += 1) {
    const problem = await readOnce(engine, container, signal, skipping(passed, onOutput))
    if (problem === undefined || signal.aborted) return undefined
    if (problem.reason === 'Broken' || breaks === MOST_BREAKS) return problem.message
    await delay(PAUSE_MS * 2 ** breaks, undefined, {signal}).catch(() => {})
  }
}

async function readOnce(
  engine: ContainerEngine,
  container: string,
  signal: AbortSignal,
  onOutput: OnOutput,
): Promise<EngineError | undefined> {
  const frames = new FrameReader(onOutput)
  const query = {follow: 'true', stdout: 'true', stderr: 'true'}
  try {
    await engine.stream('GET', `/containers/${container}/logs`, {query, signal}, (chunk) => frames.push(chunk))
    return frames.isComplete ? undefined : new EngineError('Unreachable', 'the log stream ended in the middle')
  } catch (error) {
    if (error instanceof EngineError) return error
    throw error
  }
}

/** Passes on what is new, and counts it. */
function skipping(passed: Record<'stdout' | 'stderr', number>, onOutput: OnOutput): OnOutput {
  const skip = {...passed}
  return (stream, chunk) => {
    const known = Math.min(skip[stream], chunk.length)
    skip[stream] -= known
    if (known === chunk.length) return
    passed[stream] += chunk.length - known
    onOutput(stream, chunk.subarray(known))
  }
}
