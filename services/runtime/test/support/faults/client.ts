import {setTimeout as delay} from 'node:timers/promises'
import type {Chance} from '../../../../../scripts/fuzzing.ts'
import type {Fleet} from './fleet.ts'

/** A client that loses its server asks again, another one where there is one, until it gets an answer that is final. */
export class PatientClient {
  readonly #fleet: Fleet
  readonly #chance: Chance | undefined

  constructor(fleet: Fleet, chance?: Chance) {
    this.#fleet = fleet
    this.#chance = chance
  }

  async post(path: string, body: object, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
    return this.#ask(path, {
      method: 'POST',
      headers: {'content-type': 'application/json', ...headers},
      body: JSON.stringify(body),
    })
  }

  async get(path: string): Promise<Record<string, unknown>> {
    return this.#ask(path, {method: 'GET'})
  }

  /** Final is what is not 5xx: a service that is out of reach of its database says 503. */
  async #ask(path: string, init: RequestInit): Promise<Record<string, unknown>> {
    for (;;) {
      const url = this.#pick()
      try {
        const response = await fetch(url + path, {...init, signal: AbortSignal.timeout(20_000)})
        if (response.status < 500) return (await response.json()) as Record<string, unknown>
      } catch {
        // reset, refused, or cut off half-way
      }
      await delay(50)
    }
  }

  #pick(): string {
    const {up} = this.#fleet
    const seat = this.#chance && up.length > 0 ? this.#chance.pick(up) : up[0]
    return seat?.process?.url ?? 'http://127.0.0.1:9'
  }
}
