/** The listeners of one gateway instance: what the operator wrote, or the standard ones, checked against the manifest. */
import { isAbsolute, resolve } from 'node:path'
import type * as z from 'zod'
import type { GatewayModule, TransportKind } from '../sdk.ts'
import { formatAddress } from '../transport/address.ts'
import { type Address, isDatagram, parseBind } from './bind.ts'
import type { ListenerConfig } from './effective.ts'
import type { Problem } from './errors.ts'
import type { IssueContext } from './issues.ts'
import { multicastConfig, multicastFault } from './multicast.ts'
import { formatPath, type Path } from './path.ts'
import { type listenerLimitsSchema, listenerSchema } from './schema.ts'

/** A listener as its schema leaves it. */
export type RawListener = z.output<typeof listenerSchema>

const LOOPBACK = '127.0.0.1'
const STREAMS: readonly TransportKind[] = ['tcp', 'tls', 'ws', 'wss']

export interface StandardListener extends Address {
  readonly type: TransportKind
  readonly path: string | undefined
}

/** What a gateway listens on when the config does not say: on loopback, and only what works without certificates. */
export function defaultListeners(module: GatewayModule): StandardListener[] {
  return module.listeners
    .filter(({ type, optional }) => optional !== true && type !== 'dtls' && !isEncrypted(type))
    .map(({ type, port, path }) => ({ type, host: LOOPBACK, port, path }))
}

export interface ListenerContext {
  readonly module: GatewayModule
  /** Of the `listeners` key. */
  readonly base: Path
  /** Directory that paths in the config are relative to. */
  readonly directory: string
  readonly locate: IssueContext['locate']
}

export interface PlacedListener {
  readonly listener: ListenerConfig
  /** Of its section in the config. */
  readonly path: Path
}

export interface ListenersResult {
  readonly listeners: readonly PlacedListener[]
  readonly problems: readonly Problem[]
}

/** `written` holds undefined for listeners that are not even well formed; they are left out. */
export function buildListeners(
  written: readonly (RawListener | undefined)[] | undefined,
  context: ListenerContext,
): ListenersResult {
  const problems: Problem[] = []
  const built: PlacedListener[] = []
  const raw =
    written ?? defaultListeners(context.module).map(({ type, host, port, path }) => standard(type, { host, port }, path))
  for (const [index, listener] of raw.entries()) {
    if (listener === undefined) continue
    const path = [...context.base, index]
    const found = problemsOf(listener, path, context)
    const address = bindOf(listener, path, context)
    if ('code' in address) found.push(address)
    else found.push(...multicastProblems(listener, address, path, context))
    if (!('code' in address) && found.length === 0)
      built.push({ listener: listenerConfig(listener, address, path, context), path })
    problems.push(...found)
  }
  problems.push(...doubledNames(built, context))
  return { listeners: withNames(built), problems }
}

function standard(type: TransportKind, address: Address, path: string | undefined): RawListener {
  return listenerSchema.parse({ type, bind: formatAddress(address.host, address.port), ...(path === undefined ? {} : { path }) })
}

function listenerConfig(raw: RawListener, address: Address, path: Path, context: ListenerContext): ListenerConfig {
  const { module, directory } = context
  const isWebSocket = raw.type === 'ws' || raw.type === 'wss'
  const bytes = (size: number): number | undefined => (size === 0 ? undefined : size)
  return {
    name: raw.name ?? '',
    origin: formatPath(path),
    type: raw.type,
    ...address,
    path: isWebSocket ? (raw.path ?? module.listeners.find(({ type }) => type === raw.type)?.path ?? '/') : undefined,
    subprotocols: isWebSocket ? module.subprotocols : undefined,
    requireSubprotocol: isWebSocket ? raw.requireSubprotocol : undefined,
    wholeMessages: isWebSocket ? module.wholeMessages : undefined,
    tls:
      raw.tls === undefined
        ? undefined
        : tlsConfig(raw.tls, directory, raw.type === 'tls' ? module.applicationProtocols : undefined),
    proxyProtocol: raw.proxyProtocol,
    tcpKeepAliveMs: raw.tcpKeepAlive,
    receiveBufferBytes: bytes(raw.receiveBuffer),
    sendBufferBytes: bytes(raw.sendBuffer),
    multicast: raw.multicast === undefined ? undefined : multicastConfig(raw.multicast),
    limits: limitsConfig(raw.limits),
  }
}

function tlsConfig(
  tls: NonNullable<RawListener['tls']>,
  directory: string,
  applicationProtocols: readonly string[] | undefined,
): ListenerConfig['tls'] {
  const { cert, key, ca, handshakeTimeout, ...rest } = tls
  const file = (value: string): string => (isPem(value) || isAbsolute(value) ? value : resolve(directory, value))
  return {
    ...rest,
    ...(applicationProtocols !== undefined && { applicationProtocols }),
    cert: file(cert),
    key: file(key),
    ca: ca === undefined ? undefined : file(ca),
    handshakeTimeoutMs: handshakeTimeout,
  }
}

function limitsConfig(limits: z.output<typeof listenerLimitsSchema>): ListenerConfig['limits'] {
  const { highWater, idlePeerTimeout, maxFrame, ...rest } = limits
  return { ...rest, highWaterBytes: highWater, idlePeerTimeoutMs: idlePeerTimeout, maxFrameBytes: maxFrame }
}

/** PEM text in place of a path: from a variable, say. */
export function isPem(value: string): boolean {
  return value.includes('-----BEGIN ')
}

export function isEncrypted(type: TransportKind): boolean {
  return type === 'tls' || type === 'wss'
}

function multicastProblems(raw: RawListener, { host }: Address, path: Path, { locate }: ListenerContext): Problem[] {
  const fault = raw.multicast === undefined ? undefined : multicastFault(raw.multicast, host)
  if (fault === undefined) return []
  const at = [...path, 'multicast']
  const place = { path: formatPath(at), source: locate(at, 'value') }
  return [{ code: 'config-invalid-value', ...place, message: fault[0], hint: fault[1] }]
}

function bindOf(raw: RawListener, path: Path, { module, locate }: ListenerContext): Address | Problem {
  const at = [...path, 'bind']
  const place = { path: formatPath(at), source: locate(at, 'value') }
  if (raw.bind === undefined) {
    const port = module.listeners.find(({ type }) => type === raw.type)?.port
    if (port !== undefined) return { host: LOOPBACK, port }
    const hint = 'add an address such as "127.0.0.1:5000"'
    return { code: 'config-missing-value', ...place, message: `${module.name} has no standard port for ${raw.type}`, hint }
  }
  const address = parseBind(String(raw.bind))
  if (typeof address !== 'string') return address
  return {
    code: 'listener-bind-invalid',
    ...place,
    message: `${JSON.stringify(raw.bind)}: ${address}`,
    hint: 'write an address and port such as "127.0.0.1:1883", "[::1]:1883" or ":1883"',
  }
}

function problemsOf(raw: RawListener, path: Path, { module, locate }: ListenerContext): Problem[] {
  const problem = (code: Problem['code'], key: string, message: string, hint: string): Problem => {
    const at = [...path, key]
    return { code, path: formatPath(at), source: locate(at, 'value'), message, hint }
  }
  const { type } = raw
  if (type === 'dtls' && module.transports.some(isDatagram)) {
    const hint = 'remove this listener, or use udp inside a protected network'
    return [problem('listener-dtls-unavailable', 'type', 'this version of Omnigate has no DTLS', hint)]
  }
  if (!module.transports.includes(type)) {
    const offered = module.transports.filter((transport) => transport !== 'dtls')
    return [problem('listener-type-unsupported', 'type', `${module.name} has no ${type} listener`, `use ${orList(offered)}`)]
  }
  const problems: Problem[] = []
  if (isEncrypted(type) && raw.tls === undefined) {
    const hint = 'add tls: { cert: server.pem, key: server-key.pem }, with paths relative to the config file'
    problems.push(problem('listener-tls-missing', 'tls', `a ${type} listener needs a certificate and its key`, hint))
  }
  const { tls } = raw
  if (tls?.ca === undefined && (tls?.requestClientCert === true || tls?.requireClientCert === true)) {
    problems.push(
      problem(
        'config-missing-value',
        'tls',
        'client certificates need `ca`, the certificates that sign them',
        'add ca: clients-ca.pem',
      ),
    )
  }
  for (const [key, isWritten, allowed] of [
    ['tls', raw.tls !== undefined, ['tls', 'wss']],
    ['path', raw.path !== undefined, ['ws', 'wss']],
    ['proxyProtocol', raw.proxyProtocol, STREAMS],
    ['tcpKeepAlive', raw.tcpKeepAlive !== 0, STREAMS],
    ['receiveBuffer', raw.receiveBuffer !== 0, ['udp']],
    ['sendBuffer', raw.sendBuffer !== 0, ['udp']],
    ['multicast', raw.multicast !== undefined, ['udp']],
  ] as const) {
    if (!isWritten || (allowed as readonly TransportKind[]).includes(type)) continue
    const hint = `remove it, or use ${orList(allowed.filter((other) => module.transports.includes(other)))}`
    problems.push(problem('listener-option-unused', key, `"${key}" means nothing on a ${type} listener`, hint))
  }
  if (raw.limits.highWater > raw.limits.maxQueuedBytes) {
    const message = 'limits.highWater is above limits.maxQueuedBytes: the device would be cut off before it could pause'
    problems.push(problem('config-invalid-value', 'limits', message, 'lower highWater or raise maxQueuedBytes'))
  }
  return problems
}

function orList(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'another gateway') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function doubledNames(built: readonly PlacedListener[], { locate }: ListenerContext): Problem[] {
  const taken = new Set<string>()
  const problems: Problem[] = []
  for (const { listener, path } of built) {
    const { name } = listener
    if (name === '') continue
    if (taken.has(name)) {
      const at = [...path, 'name']
      const message = `another listener of this gateway is called "${name}" already`
      const place = { path: formatPath(at), source: locate(at, 'value') }
      problems.push({ code: 'listener-name-duplicate', ...place, message, hint: 'rename one of them' })
    }
    taken.add(name)
  }
  return problems
}

/** Nameless listeners become `tcp-1883`, `tcp-1883-2`, ... */
function withNames(built: readonly PlacedListener[]): PlacedListener[] {
  const taken = new Set(built.map(({ listener }) => listener.name))
  return built.map(({ listener, path }) => {
    if (listener.name !== '') return { listener, path }
    const base = `${listener.type}-${listener.port}`
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base}-${number}`
    taken.add(name)
    return { listener: { ...listener, name }, path }
  })
}
