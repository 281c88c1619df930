/** Words of the notation: quoting, and 5.0 properties as `name=value`. */

/** Octets are written `hex:0102`. */
const HEX = /^hex:((?:[0-9a-f]{2})*)$/i

const BINARY = new Set(['correlationData', 'authenticationData'])
const FLAGS = new Set(['payloadFormatIndicator', 'requestProblemInformation', 'requestResponseInformation'])
const TEXTS = new Set(['contentType', 'responseTopic', 'authenticationMethod', 'reasonString'])
const NUMBERS = new Set([
  'messageExpiryInterval',
  'subscriptionIdentifier',
  'sessionExpiryInterval',
  'willDelayInterval',
  'receiveMaximum',
  'topicAliasMaximum',
  'topicAlias',
  'maximumPacketSize',
])

/** True for the name of a 5.0 property that a client may send. */
export function isProperty(name: string): boolean {
  return name.startsWith('user:') || [BINARY, FLAGS, TEXTS, NUMBERS].some((names) => names.has(name))
}

/** Splits at spaces outside quotes. */
export function split(text: string): string[] {
  return text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/gs) ?? []
}

/** A word as it is meant: without its quotes. */
export function readWord(word: string): string {
  return word.startsWith('"') ? (JSON.parse(word) as string) : word
}

/** Quoted where it would not be one word. */
export function wordOf(text: string): string {
  return text === '' || /[\s"]/.test(text) ? JSON.stringify(text) : text
}

/** The properties among `words`, whose names begin with `prefix`; undefined when there are none. */
export function readProperties(words: readonly string[], prefix: string): Record<string, unknown> | undefined {
  const properties: Record<string, unknown> = {}
  for (const word of words) {
    if (!word.startsWith(prefix)) continue
    const [name = '', raw = ''] = word.slice(prefix.length).split(/=(.*)/s)
    const value = readWord(raw)
    const user = /^user:(.+)$/.exec(name)?.[1]
    if (user !== undefined) addUserProperty(properties, user, value)
    else if (BINARY.has(name)) properties[name] = Buffer.from(HEX.exec(value)?.[1] ?? '', 'hex')
    else if (FLAGS.has(name)) properties[name] = value === 'true'
    else if (TEXTS.has(name)) properties[name] = value
    else if (NUMBERS.has(name)) properties[name] = Number(value)
  }
  return Object.keys(properties).length === 0 ? undefined : properties
}

function addUserProperty(properties: Record<string, unknown>, name: string, value: string): void {
  const all = (properties['userProperties'] ?? {}) as Record<string, string[]>
  all[name] = [...(all[name] ?? []), value]
  properties['userProperties'] = all
}

export function printProperties({ properties }: { readonly properties?: object }, prefix: string): string[] {
  if (properties === undefined) return []
  return Object.entries(properties).flatMap(([name, value]): string[] => {
    if (name !== 'userProperties') return [value].flat().map((one) => `${prefix}${name}=${printValue(one)}`)
    return Object.entries(value as Record<string, string | string[]>).flatMap(([user, each]) =>
      [each].flat().map((one) => `${prefix}user:${user}=${wordOf(one)}`),
    )
  })
}

function printValue(value: unknown): string {
  if (value instanceof Uint8Array) return `hex:${Buffer.from(value).toString('hex')}`
  return typeof value === 'string' ? wordOf(value) : String(value)
}
