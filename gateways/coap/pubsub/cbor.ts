/** Topic representations, application/core-pubsub+cbor: maps with small integers as keys. RFC 8949 */
import { decode, encode, Token, Type } from 'cborg'

/** RFC 8949 3.4.2: seconds since the epoch, tag 1. */
export class EpochSeconds {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

export type Cbor = string | number | Uint8Array | EpochSeconds

const EPOCH_TAG = 1

const DECODING = {
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  tags: { [EPOCH_TAG]: (content: () => unknown) => epochSeconds(content()) },
}

function epochSeconds(value: unknown): EpochSeconds {
  if (typeof value !== 'number') throw new Error('tag 1 holds a number')
  return new EpochSeconds(value)
}

/** Any item; undefined when the bytes are not one. The library throws at what it cannot read. */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, DECODING)
  } catch {
    return undefined
  }
}

export function encodeMap(entries: ReadonlyMap<number, Cbor>): Uint8Array {
  return encode(entries, { typeEncoders: { Object: encodeEpoch } })
}

function encodeEpoch(value: unknown): Token[] | null {
  if (!(value instanceof EpochSeconds)) return null
  const { value: seconds } = value
  return [new Token(Type.tag, EPOCH_TAG), new Token(Number.isInteger(seconds) ? Type.uint : Type.float, seconds)]
}
