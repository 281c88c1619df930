/** Services, files, keys and a notebook for gateways, as one gateway instance sees them. */
import { join } from 'node:path'
import type { Answer, FileLimits, Keys, Notebook, SaveOutcome, Service } from '../sdk.ts'
import type { Notebooks } from '../store/notebooks.ts'
import { Files } from './files.ts'
import { gatewayKeys, keyFile } from './keys.ts'
import { Services } from './services.ts'

export interface GatewayOutside {
  readonly keys: Keys
  readonly notebook: Notebook
  /** `done` is called once, and never before this returns. */
  ask(name: string, service: Service, question: unknown, done: (answer: Answer) => void): void
  /** `done` is called once, and never before this returns. */
  save(limits: FileLimits, path: readonly string[], bytes: Uint8Array, done: (outcome: SaveOutcome) => void): void
}

export type OutsideOf = (gateway: string, count: (counter: string, by?: number) => void) => GatewayOutside

/** `now`: milliseconds since the epoch. */
export function outsideIn(dataDir: string, now: () => number, notebooks: Notebooks): OutsideOf {
  return (gateway, count) => {
    const services = new Services({ count })
    const files = new Files(join(dataDir, 'media', gateway), `media/${gateway}`, { now, count })
    return {
      keys: gatewayKeys(keyFile(join(dataDir, 'keys', `${gateway}.pem`)), dataDir),
      notebook: notebooks.of(gateway),
      ask: (name, service, question, done) => services.ask(name, service, question, done),
      save: (limits, path, bytes, done) => files.save(limits, path, bytes, done),
    }
  }
}
