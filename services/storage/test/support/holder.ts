import {openStorage} from '../../src/index.ts'

// Opens the directory, says so, writes bytes without end and never closes: the parent kills it.
const storage = await openStorage({directory: process.argv[2] ?? ''})
await storage.bytes.write(repeat('kept', 3))
process.stdout.write('open\n')
await storage.bytes.stage(repeat('staged', Infinity))

async function* repeat(text: string, times: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i += 1) yield Buffer.alloc(100_000, text)
}
