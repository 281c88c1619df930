/** What the universal properties are asked about: a gateway on one kind of transport, with frames to begin from. */
import { type GatewayModule, isMalformed, type WireFormat } from '../../src/sdk.ts'
import type { Installed, Vector } from '../conformance/installed.ts'
import { bytesOf, wireOf } from '../conformance/installed.ts'

export interface Subject {
  /** For titles: `mqtt over a stream`. */
  readonly name: string
  readonly module: GatewayModule
  readonly datagram: boolean
  readonly wire: WireFormat<unknown>
  /** Whole frames that decode, each with the format that reads it. */
  readonly frames: readonly Seed[]
  /** Whole frames and chunks that something is wrong with. */
  readonly malformed: readonly Uint8Array[]
}

export interface Seed {
  readonly bytes: Uint8Array
  readonly wire: WireFormat<unknown>
  /** False: it encodes to other octets that mean the same. */
  readonly canonical: boolean
}

const STREAMS: readonly string[] = ['tcp', 'tls', 'ws', 'wss']
const DATAGRAMS: readonly string[] = ['udp', 'dtls']

/** One subject for each kind of transport that the manifest names. */
export function subjectsOf(gateway: Installed): Subject[] {
  const { name, module, wire, vectors } = gateway
  if (wire === undefined) throw new Error(`gateways/${name}/codec/index.ts exports no \`wire\`: its bytes cannot be tested`)
  const frames = vectors.filter(({ kind }) => kind === 'frame').map((vector) => seedOf(gateway, vector))
  if (frames.length === 0) throw new Error(`specs/${module.spec}/vectors holds no frame: nothing to begin from`)
  const malformed = vectors.flatMap(({ kind, hex }) =>
    kind === 'malformed' ? [bytesOf(hex as string)] : kind === 'stream' ? (hex as readonly string[]).map(bytesOf) : [],
  )
  const over = (kinds: readonly string[]): boolean => module.transports.some((transport) => kinds.includes(transport))
  return [
    ...(over(STREAMS)
      ? [{ name: `${name} over a stream`, module, ...streamOf(gateway, { wire, frames }), malformed, datagram: false }]
      : []),
    ...(over(DATAGRAMS) ? [{ name: `${name} over datagrams`, module, wire, frames, malformed, datagram: true }] : []),
  ]
}

/** Where streams have a format of their own, `streamWire`, the frames are those of the same messages. */
function streamOf(gateway: Installed, { wire, frames }: Pick<Subject, 'wire' | 'frames'>): Pick<Subject, 'wire' | 'frames'> {
  const own = gateway.codec['streamWire'] as WireFormat<unknown> | undefined
  if (own === undefined) return { wire, frames }
  const bytes = frames.flatMap((frame) => {
    const message = frame.wire.codec.decode(frame.bytes)
    const encoded = isMalformed(message) ? undefined : own.codec.encode(message)
    return encoded === undefined || isMalformed(own.codec.decode(encoded)) ? [] : [encoded]
  })
  return { wire: own, frames: bytes.map((encoded) => ({ bytes: encoded, wire: own, canonical: true })) }
}

function seedOf(gateway: Installed, vector: Vector): Seed {
  const wire = wireOf(gateway, vector)
  if (wire === undefined) throw new Error(`${vector.file}: ${vector.name}: codec/index.ts exports no ${vector.wire}`)
  return { bytes: bytesOf(vector.hex as string), wire, canonical: vector.canonical !== false }
}
