/** The JSON that every terminal speaks on the unified topics, whatever its protocol. Units stand in the key. */

export interface Envelope {
  readonly device: string
  readonly protocol: string
  readonly gateway: string
  /** `location`, `measurement`, or the event's name (`registered`, `deregistered`, `alarm`, ...). */
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  /** The full protocol decode; left out when the gateway's `native` option is off. */
  readonly native?: Readonly<Record<string, unknown>> | undefined
}

/** Same keys from every protocol that knows positions; absent means unknown, never 0. */
export interface LocationData {
  /** WGS-84 degrees, south and west negative. */
  readonly lat: number
  readonly lon: number
  readonly alt_m?: number
  readonly speed_kmh?: number
  readonly heading_deg?: number
  /** RFC 3339, UTC. */
  readonly time?: string
  readonly alarms?: readonly string[]
}

/** UTF-8 JSON of an envelope; `ts` in ms since the epoch. */
export function encodeEnvelope(envelope: Envelope, ts: number): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, ts, ...envelope }))
}
