/** The query of a request: `?clientid=d1&qos=1`, one Uri-Query option each, with the short names of section "Query" in README.md. */
import { fromHex } from '#bytes/hex'
import { isTopicName, type Properties, type QoS } from '#sdk'

export interface Query {
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  readonly token?: string
  readonly qos?: QoS
  readonly retain?: boolean
  readonly expirySeconds?: number
  readonly noLocal?: boolean
  readonly retainHandling?: 0 | 1 | 2
  /** What a publish adds to the message; absent when it names nothing of it. */
  readonly properties?: Properties
}

/** `user.colour=red` is the user property `colour`. */
const USER_PREFIX = 'user.'

const LONG_NAMES: Readonly<Record<string, string>> = {
  c: 'clientid',
  u: 'username',
  p: 'password',
  t: 'token',
  q: 'qos',
  r: 'retain',
}

const CREDENTIALS: ReadonlySet<string> = new Set(['clientid', 'username', 'password', 'token'])

/** True for the part of a query that says who asks. */
export function isOwnQuery(part: string): boolean {
  const equals = part.indexOf('=')
  const key = percentDecode(equals < 0 ? part : part.slice(0, equals))
  return CREDENTIALS.has(LONG_NAMES[key] ?? key)
}

/** MQTT 5.0 3.3.2.3.3: four bytes. */
const MAX_EXPIRY_S = 0xffff_ffff

/** The first of repeated keys counts, unknown keys are ignored. A string says what is wrong. */
export function parseQuery(parts: readonly string[]): Query | string {
  const values = new Map<string, string>()
  const user: (readonly [name: string, value: string])[] = []
  for (const part of parts) {
    const equals = part.indexOf('=')
    const key = percentDecode(equals < 0 ? part : part.slice(0, equals))
    const value = equals < 0 ? '' : percentDecode(part.slice(equals + 1))
    const name = LONG_NAMES[key] ?? key
    if (key.startsWith(USER_PREFIX)) user.push([key.slice(USER_PREFIX.length), value])
    else if (!values.has(name)) values.set(name, value)
  }
  const query: { -readonly [Key in keyof Query]: Query[Key] } = {}
  const clientId = values.get('clientid')
  const username = values.get('username')
  const password = values.get('password')
  const token = values.get('token')
  if (clientId !== undefined && clientId !== '') query.clientId = clientId
  if (username !== undefined) query.username = username
  if (password !== undefined) query.password = password
  if (token !== undefined && token !== '') query.token = token
  return readProperties(values, user, query) ?? readNumbers(values, query)
}

function readProperties(
  values: ReadonlyMap<string, string>,
  user: readonly (readonly [name: string, value: string])[],
  query: { -readonly [Key in keyof Query]: Query[Key] },
): string | undefined {
  const responseTopic = values.get('responsetopic')
  const hex = values.get('correlation')
  if (responseTopic === undefined && hex === undefined && user.length === 0) return undefined
  if (responseTopic !== undefined && !isTopicName(responseTopic)) return 'responsetopic is a topic, without wildcards'
  const correlationData = hex === undefined ? undefined : fromHex(hex)
  if (hex !== undefined && correlationData === undefined) return 'correlation is hexadecimal octets'
  query.properties = {
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(user.length > 0 && { userProperties: user }),
  }
  return undefined
}

function readNumbers(values: ReadonlyMap<string, string>, query: { -readonly [Key in keyof Query]: Query[Key] }): Query | string {
  const qos = values.get('qos')
  if (qos !== undefined) {
    if (!/^[012]$/.test(qos)) return 'qos is 0, 1 or 2'
    query.qos = Number(qos) as QoS
  }
  const retainHandling = values.get('rh')
  if (retainHandling !== undefined) {
    if (!/^[012]$/.test(retainHandling)) return 'rh is 0, 1 or 2'
    query.retainHandling = Number(retainHandling) as 0 | 1 | 2
  }
  const expiry = values.get('expiry')
  if (expiry !== undefined) {
    if (!/^\d{1,10}$/.test(expiry) || Number(expiry) > MAX_EXPIRY_S) return 'expiry is a number of seconds'
    query.expirySeconds = Number(expiry)
  }
  const retain = flag(values.get('retain'))
  if (retain === null) return 'retain is true or false'
  if (retain !== undefined) query.retain = retain
  const noLocal = flag(values.get('nl'))
  if (noLocal === null) return 'nl is true or false'
  if (noLocal !== undefined) query.noLocal = noLocal
  return query
}

/** Null: neither true nor false. */
function flag(text: string | undefined): boolean | undefined | null {
  if (text === undefined) return undefined
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : null
}

/** Once, and leniently: what is no escape of UTF-8 stays as it is. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    const decoded = Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8')
    return decoded.includes('\ufffd') ? escapes : decoded
  })
}
