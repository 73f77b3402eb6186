import {spawn} from 'node:child_process'
import {createHash} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import type {Duplex} from 'node:stream'

const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const [STDIN, STDOUT, STDERR, ERROR, CLOSE] = [0, 1, 2, 3, 255]

/**
 * The exec endpoint over a WebSocket (v5.channel.k8s.io): runs the command on this machine with the pod's directory as
 * its root as far as that can be pretended, by making absolute arguments relative to it.
 */
export function serveExec(request: IncomingMessage, socket: Duplex, command: readonly string[], root: string): void {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${ACCEPT}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n` +
      'Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n',
  )
  const [program = '', ...words] = command
  const child = spawn(program, words.map(insideRoot), {cwd: root, stdio: 'pipe'})
  const send = (channel: number, data: Uint8Array): void =>
    void socket.write(frame(2, Buffer.concat([Buffer.from([channel]), data])))
  child.stdout.on('data', (chunk: Buffer) => send(STDOUT ?? 1, chunk))
  child.stderr.on('data', (chunk: Buffer) => send(STDERR ?? 2, chunk))
  child.stdin.on('error', () => {})
  const end = (code: number): void => {
    send(ERROR ?? 3, Buffer.from(JSON.stringify(statusOf(code))))
    socket.end(frame(8, Buffer.from([3, 232])))
  }
  child.on('error', () => end(127))
  child.on('close', (code) => end(code ?? 137))
  socket.on('close', () => child.kill('SIGKILL'))
  socket.on('error', () => child.kill('SIGKILL'))
  readFrames(socket, (opcode, payload) => {
    if (opcode === 9) socket.write(frame(10, payload))
    if (opcode === 8) child.kill('SIGKILL')
    if (opcode === 2 && payload[0] === STDIN) child.stdin.write(payload.subarray(1))
    if (opcode === 2 && payload[0] === CLOSE && payload[1] === STDIN) child.stdin.end()
  })
}

/** Paths of the container as paths below its directory; programs are those of this machine. */
function insideRoot(word: string): string {
  return word.startsWith('/') && !word.startsWith('/bin/') ? word.slice(1) || '.' : word
}

function statusOf(code: number): object {
  if (code === 0) return {metadata: {}, status: 'Success'}
  const details = {causes: [{reason: 'ExitCode', message: String(code)}]}
  const message = `command terminated with non-zero exit code: exit status ${code}`
  return {metadata: {}, status: 'Failure', reason: 'NonZeroExitCode', message, details}
}

function frame(opcode: number, payload: Uint8Array): Buffer {
  const size = payload.length
  const head = Buffer.alloc(size < 126 ? 2 : size < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = size < 126 ? size : size < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(size, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(size), 2)
  return Buffer.concat([head, payload])
}

/** Frames of a client, which are masked; fragments do not occur with kubectl. */
function readFrames(socket: Duplex, onFrame: (opcode: number, payload: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let size = sizeOf(rest); size !== undefined && rest.length >= size.total; size = sizeOf(rest)) {
      const mask = rest.subarray(size.head - 4, size.head)
      const payload = Buffer.from(
        rest.subarray(size.head, size.total).map((byte, index) => byte ^ (mask[index % 4] ?? 0)),
      )
      onFrame((rest[0] ?? 0) & 15, payload)
      rest = rest.subarray(size.total)
    }
  })
}

function sizeOf(data: Buffer): {head: number; total: number} | undefined {
  if (data.length < 2) return undefined
  const short = (data[1] ?? 0) & 127
  const head = short < 126 ? 6 : short === 126 ? 8 : 14
  if (data.length < head) return undefined
  const size = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
  return {head, total: head + size}
}
