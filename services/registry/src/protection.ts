import type {FastifyInstance, FastifyRequest} from 'fastify'

export interface ProtectionOptions {
  /** Bytes per second a body must arrive with on average, after the grace period. */
  readonly bytesPerSecond: number
  readonly graceMs: number
  /** How long the rest of a refused body is read, so that the sender gets to see the answer. */
  readonly lingerMs: number
}

/**
 * Against senders that hold a connection with hardly any bytes. Node only limits the time of a whole request, which
 * would cut off honest slow uploads of large packages; so this looks at the rate.
 */
export function protectAgainstSlowBodies(app: FastifyInstance, options: ProtectionOptions): void {
  app.addHook('onRequest', async (request) => watchRate(request, options))
  app.addHook('onResponse', async (request) => {
    if (request.raw.complete) return
    request.raw.unpipe()
    request.raw.resume()
    closeAfter(request, options.lingerMs)
  })
}

function watchRate(request: FastifyRequest, {bytesPerSecond, graceMs}: ProtectionOptions): void {
  const {raw} = request
  const started = Date.now()
  const before = raw.socket.bytesRead
  const check = () => {
    const seconds = (Date.now() - started) / 1000
    if (raw.complete) clearInterval(timer)
    else if (raw.socket.bytesRead - before < seconds * bytesPerSecond) raw.destroy()
  }
  const timer = setInterval(check, graceMs).unref()
  raw.once('close', () => clearInterval(timer))
}

function closeAfter({raw}: FastifyRequest, ms: number): void {
  const timer = setTimeout(() => raw.socket.destroy(), ms).unref()
  raw.once('end', () => clearTimeout(timer))
}
