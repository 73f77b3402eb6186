import {get} from 'node:http'

const TIMEOUT_MS = 2000

/**
 * What `GET /health` says: the service's own word, or why there is none. Plain HTTP to this machine, past any proxy.
 */
export function checkHealth(url: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(`${url}/health`, {agent: false, timeout: TIMEOUT_MS}, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body = (body + text).slice(0, 4096)))
      response.on('end', () => resolve(readStatus(response.statusCode ?? 0, body)))
      response.on('error', () => resolve('unreachable'))
    })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', () => resolve('unreachable'))
  })
}

function readStatus(code: number, body: string): string {
  try {
    const {status} = JSON.parse(body) as {status?: unknown}
    return code === 200 && typeof status === 'string' ? status : `answers ${code}`
  } catch {
    return `answers ${code}`
  }
}
