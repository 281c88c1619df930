/** Services, files, keys and notebooks of the test world: the test answers for the services, files are in memory, the rest is real. */
import { gatewayKeys, type KeptKey } from '../runtime/keys.ts'
import type { GatewayOutside } from '../runtime/outside.ts'
import type { Answer, SaveOutcome } from '../sdk.ts'
import { Notebooks } from '../store/notebooks.ts'

/** What a service says to a question. */
export type ServiceDouble = (service: string, question: unknown) => Answer | Promise<Answer>

const NOBODY: ServiceDouble = () => ({ ok: false, reason: 'unreachable' })

export class FakeOutside {
  /** What gateways saved, by path. */
  readonly files = new Map<string, Uint8Array>()
  /** Why the next files cannot be saved. */
  saveFailure: Exclude<SaveOutcome, { ok: true }>['reason'] | undefined = undefined
  readonly #services: ServiceDouble
  readonly #notebooks: Notebooks
  readonly #keys = new Map<string, string>()
  #later: (() => void)[] = []

  constructor(services: ServiceDouble = NOBODY, notebooks = new Notebooks()) {
    this.#services = services
    this.#notebooks = notebooks
  }

  /** Runs what waits; false when nothing did. */
  settle(): boolean {
    const work = this.#later
    this.#later = []
    for (const run of work) run()
    return work.length > 0
  }

  of(gateway: string): GatewayOutside {
    return {
      keys: gatewayKeys(this.#kept(gateway)),
      notebook: this.#notebooks.of(gateway),
      ask: (name, _service, question, done) => {
        const answer = this.#services(name, question)
        if (answer instanceof Promise) void answer.then((late) => this.#later.push(() => done(late)))
        else this.#later.push(() => done(answer))
      },
      save: (_limits, path, bytes, done) => this.#later.push(() => done(this.#save(gateway, path, bytes))),
    }
  }

  #save(gateway: string, path: readonly string[], bytes: Uint8Array): SaveOutcome {
    if (this.saveFailure !== undefined) return { ok: false, reason: this.saveFailure }
    const name = ['media', gateway, ...path].join('/')
    this.files.set(name, bytes)
    return { ok: true, path: name }
  }

  #kept(gateway: string): KeptKey {
    return { read: () => this.#keys.get(gateway), write: (pem) => void this.#keys.set(gateway, pem) }
  }
}
