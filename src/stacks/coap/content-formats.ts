/** Content-Formats and the media types they stand for: RFC 7252 12.3 and its registry. */

export const TEXT = 0
export const LINK_FORMAT = 40
export const OCTET_STREAM = 42
export const JSON_FORMAT = 50
export const MERGE_PATCH = 52
export const CBOR = 60
export const MISSING_BLOCKS = 272 // RFC 9177 12.3
/** draft-ietf-core-coap-pubsub: the number that it asks for. */
export const PUBSUB = 606

export interface ContentFormat {
  readonly id: number
  readonly mediaType: string
  /** True when every representation is UTF-8 text. */
  readonly text: boolean
}

type Row = readonly [id: number, mediaType: string, text?: 'text']

const ROWS: readonly Row[] = [
  [0, 'text/plain;charset=utf-8', 'text'],
  [16, 'application/cose;cose-type="cose-encrypt0"'],
  [17, 'application/cose;cose-type="cose-mac0"'],
  [18, 'application/cose;cose-type="cose-sign1"'],
  [19, 'application/ace+cbor'],
  [40, 'application/link-format', 'text'],
  [41, 'application/xml'], // names its own charset
  [42, 'application/octet-stream'],
  [47, 'application/exi'],
  [50, 'application/json', 'text'],
  [51, 'application/json-patch+json', 'text'],
  [52, 'application/merge-patch+json', 'text'],
  [60, 'application/cbor'],
  [61, 'application/cwt'],
  [62, 'application/multipart-core'],
  [63, 'application/cbor-seq'],
  [96, 'application/cose;cose-type="cose-encrypt"'],
  [97, 'application/cose;cose-type="cose-mac"'],
  [98, 'application/cose;cose-type="cose-sign"'],
  [101, 'application/cose-key'],
  [102, 'application/cose-key-set'],
  [110, 'application/senml+json', 'text'],
  [111, 'application/sensml+json', 'text'],
  [112, 'application/senml+cbor'],
  [113, 'application/sensml+cbor'],
  [114, 'application/senml-exi'],
  [115, 'application/sensml-exi'],
  [256, 'application/coap-group+json', 'text'],
  [271, 'application/dots+cbor'],
  [272, 'application/missing-blocks+cbor-seq'],
  [310, 'application/senml+xml'],
  [311, 'application/sensml+xml'],
  [320, 'application/senml-etch+json', 'text'],
  [322, 'application/senml-etch+cbor'],
  [606, 'application/core-pubsub+cbor'],
  [10000, 'application/vnd.ocf+cbor'],
  [10001, 'application/oscore'],
  [11542, 'application/vnd.oma.lwm2m+tlv'],
  [11543, 'application/vnd.oma.lwm2m+json', 'text'],
  [11544, 'application/vnd.oma.lwm2m+cbor'],
]

export const CONTENT_FORMATS: readonly ContentFormat[] = ROWS.map(([id, mediaType, text]) => ({
  id,
  mediaType,
  text: text !== undefined,
}))

const byId = new Map(CONTENT_FORMATS.map((format) => [format.id, format]))
const byMediaType = new Map(CONTENT_FORMATS.map((format) => [normalize(format.mediaType), format]))

export function contentFormat(id: number): ContentFormat | undefined {
  return byId.get(id)
}

/** The Content-Format of a media type as MQTT or HTTP write it. */
export function contentFormatOf(mediaType: string): ContentFormat | undefined {
  const normal = normalize(mediaType)
  return byMediaType.get(normal) ?? withoutCharset(normal)
}

function normalize(mediaType: string): string {
  return mediaType.toLowerCase().replace(/\s+/g, '')
}

/** `text/plain` is UTF-8 here, and `;charset=utf-8` adds nothing to a format that is always UTF-8. */
function withoutCharset(mediaType: string): ContentFormat | undefined {
  if (mediaType === 'text/plain') return byId.get(TEXT)
  const bare = mediaType.replace(/;charset="?utf-8"?$/, '')
  if (bare === mediaType) return undefined
  const format = bare === 'text/plain' ? byId.get(TEXT) : byMediaType.get(bare)
  return format?.text === true ? format : undefined
}
