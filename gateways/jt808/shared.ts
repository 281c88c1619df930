/** What the sessions of one gateway instance share. */
import type { Keys, Link, RsaKey } from '#sdk'
import type { Budget } from './assemblies.ts'
import type { Config } from './config.ts'
import type { Credentials } from './credentials.ts'
import type { Vendor } from './vendor.ts'

export interface Shared {
  /** Replaced on reload. */
  config: Config
  /** Replaced on reload. */
  vendor: Vendor
  readonly credentials: Credentials
  readonly keys: Keys
  /** The platform's own; undefined where bodies are not encrypted. */
  readonly key: RsaKey | undefined
  /** Authenticated datagram sessions by phone; bounded by the sessions there are. */
  readonly byPhone: Map<string, Link>
  /** Memory of unfinished messages. */
  readonly assembling: Budget
  /** Memory of unfinished files. */
  readonly collecting: Budget
}

/** Client id of the terminal with this phone number. */
export function deviceOf({ config }: Pick<Shared, 'config'>, phone: string): string {
  return config.leadingZeros === 'keep' ? phone : phone.replace(/^0+(?=.)/, '')
}
