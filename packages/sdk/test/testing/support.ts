import {type AtomDouble, type AtomDoubleOptions, startAtomDouble} from '@atomctl/sdk/testing'

export interface Reply {
  status: number
  type: string | null
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of any shape, looked into by assertions
  body: any
  headers: Headers
}

export async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, {redirect: 'manual', ...init})
  const text = await response.text()
  const type = response.headers.get('content-type')
  return {
    status: response.status,
    type,
    body: type === 'application/json' && text !== '' ? JSON.parse(text) : text,
    headers: response.headers,
  }
}

export function push(
  double: AtomDouble,
  text: string,
  init: {token?: string | undefined; filename?: string} = {},
): Promise<Reply> {
  const form = new FormData()
  form.append('file', new Blob([text]), init.filename ?? 'demo.wpk.yaml')
  const {token = 'anything'} = init
  return call(`${double.registryUrl}/workflows`, {
    method: 'POST',
    body: form,
    headers: {authorization: `Bearer ${token}`},
  })
}

export function execute(double: AtomDouble, body: unknown, type = 'application/json'): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return call(`${double.runtimeUrl}/execute`, {method: 'POST', body: text, headers: {'content-type': type}})
}

/** The execution once it does not run any more. */
export async function settled(double: AtomDouble, id: string): Promise<Reply['body']> {
  for (;;) {
    const {body} = await call(`${double.runtimeUrl}/execute/${id}`)
    if (body.status !== 'running') return body
  }
}

/** Starts doubles for the tests of the surrounding suite, closed after each. */
export function useDoubles(): (options?: AtomDoubleOptions) => Promise<AtomDouble> {
  const doubles: AtomDouble[] = []
  afterEach(async () => {
    await Promise.all(doubles.splice(0).map((double) => double.close()))
  })
  return async (options = {}) => {
    const double = await startAtomDouble({stepTime: 5, ...options})
    doubles.push(double)
    return double
  }
}
