/** A gateway is one folder whose `index.ts` exports one manifest as default. */
import type { Crypto } from './crypto.ts'
import type { FileLimits, Keys, Notebook, Service } from './outside.ts'
import type { Link, Session } from './session.ts'

export type TransportKind = 'tcp' | 'tls' | 'udp' | 'dtls' | 'ws' | 'wss'

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type Validated<Out> = { readonly value: Out; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** Standard Schema v1 plus Standard JSON Schema. zod 4 implements both; so may any other library. */
export interface ConfigSchema<Out> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Validated<Out> | Promise<Validated<Out>>
    readonly jsonSchema?: { readonly input: (options: { target: 'draft-2020-12' }) => Record<string, unknown> } | undefined
  }
}

export interface Log {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

export interface GatewayContext<Config> {
  /** Name of the instance in the config; `use` names the protocol. */
  readonly name: string
  readonly config: Config
  readonly log: Log
  /** Session limits of this instance, for protocols that announce them to the device. */
  readonly limits: SessionLimits
  readonly keys: Keys
  readonly crypto: Crypto
  readonly notebook: Notebook
}

/** Common `session` block of every gateway instance. */
export interface SessionLimits {
  /** Unacknowledged deliveries per client. */
  readonly maxInflight: number
  /** Queued deliveries per client (window full, held or offline). */
  readonly maxQueued: number
  readonly maxQueuedBytes: number
  /** What gives way when the queue is full. */
  readonly dropPolicy: 'drop-oldest' | 'drop-newest'
  /** Queue QoS 0 for clients that are offline but keep a session. */
  readonly queueQos0Offline: boolean
  readonly maxSubscriptions: number
  /** Messages a second that a client may publish; 0 is no limit. */
  readonly maxPublishRate: number
  /** Messages that it may publish at once; 0 is as many as in one second. */
  readonly maxPublishBurst: number
  /** Payload bytes a second; 0 is no limit. */
  readonly maxPublishByteRate: number
  readonly maxPublishByteBurst: number
}

/** Where a listener of this gateway is, unless the config says otherwise. */
export interface DefaultListener {
  readonly type: TransportKind
  readonly port: number
  /** WebSocket path. */
  readonly path?: string
  /** True: only where the config asks for it. */
  readonly optional?: boolean
}

export interface Gateway<Config = unknown> {
  /** One per stream connection or per new datagram peer. Must be cheap. */
  open(link: Link): Session
  /** Services that `Link.ask` reaches, by name; read at each question, so that a reload may change them. */
  readonly services?: Readonly<Record<string, Service>>
  /** Bounds of what `Link.save` keeps; absent: this gateway keeps no files. */
  readonly files?: FileLimits
  /** Apply a new config in place, or ask to be restarted. Absent is restart. */
  reload?(next: Config): 'applied' | 'restart'
  close?(): void
}

export interface GatewayModule<Config = unknown> {
  /** Protocol name, the folder's name: `coap`. */
  readonly name: string
  readonly title: string
  /** Folder under `specs/` with its conformance rows. */
  readonly spec: string
  readonly transports: readonly TransportKind[]
  readonly listeners: readonly DefaultListener[]
  /** TLS: application protocols in order of preference, RFC 7301. A client that offers one is told, one that offers others only is refused. */
  readonly applicationProtocols?: readonly string[]
  /** WebSocket sub-protocols, in order of preference. */
  readonly subprotocols?: readonly string[]
  /** WebSocket: the boundaries of messages mean something, both ways. Otherwise they carry a stream in chunks. */
  readonly wholeMessages?: boolean
  readonly config: ConfigSchema<Config>
  create(context: GatewayContext<Config>): Gateway<Config>
}

/** Types the manifest; `export default defineGateway({...})`. */
export function defineGateway<Config>(module: GatewayModule<Config>): GatewayModule<Config> {
  return module
}
