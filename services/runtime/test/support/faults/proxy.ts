import {once} from 'node:events'
import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net'

type State = 'open' | 'cut' | 'stalled'

/** The network between one process and its database, which the test can cut, let swallow everything, or half close. */
export class NetworkProxy {
  readonly port: number
  readonly #server: Server
  readonly #target: number
  readonly #pairs = new Set<[Socket, Socket]>()
  #state: State = 'open'
  #watch: ((sent: number) => void) | undefined
  #sent = 0

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => this.#join(client))
  }

  static async start(target: number): Promise<NetworkProxy> {
    const server = createServer({allowHalfOpen: true}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new NetworkProxy(server, target)
  }

  /** Connections are reset, new ones too. */
  cut(): void {
    this.#state = 'cut'
    for (const pair of this.#pairs) for (const socket of pair) reset(socket)
  }

  /** Connections stay, and nothing comes through any more. */
  stall(): void {
    this.#state = 'stalled'
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** The client is told that the server has ended, and the server is not told anything. */
  halfClose(): void {
    for (const [client] of this.#pairs) client.end()
  }

  heal(): void {
    this.#state = 'open'
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  /** Calls `watch` with the number of each chunk that the client sends, before it is passed on. */
  count(watch: ((sent: number) => void) | undefined): void {
    this.#sent = 0
    this.#watch = watch
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    if (this.#state === 'cut') return reset(client)
    const server = connect({port: this.#target, host: '127.0.0.1', allowHalfOpen: true})
    const pair: [Socket, Socket] = [client, server]
    this.#pairs.add(pair)
    this.#pass(client, server, () => this.#watch?.((this.#sent += 1)))
    this.#pass(server, client)
    if (this.#state === 'stalled') for (const socket of pair) socket.pause()
    const end = (): void => {
      this.#pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
  }

  #pass(from: Socket, to: Socket, onData?: () => void): void {
    from.setNoDelay(true)
    from.on('data', (chunk) => {
      onData?.()
      to.write(chunk)
    })
    from.on('end', () => to.end())
  }
}

/**
 * A socket that is being ended cannot be reset: Node then takes it for closed and never closes it, and a process that has
 * such a handle spins at its end for ever (`FreeEnvironment`; seen with Node 24.21).
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
