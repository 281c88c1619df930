/**
 * The effective config: what the operator wrote, with every default filled in, units converted (ms, bytes) and paths
 * made absolute. The runtime reads this and nothing else. Plain data, but for the module each gateway was checked with.
 */
import type { CoreLimits } from '../broker/port.ts'
import type { GatewayModule, SessionLimits } from '../sdk.ts'
import type { ListenerOptions } from '../transport/listener.ts'
import { bridgeGateway, bridgeLimits } from './bridge-schema.ts'
import type { BrokerConfig } from './broker-schema.ts'
import type { ErrorCode } from './errors.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface EffectiveConfig {
  /** Absolute path of the config file; undefined when there was none. */
  readonly file: string | undefined
  readonly node: NodeConfig
  readonly broker: BrokerConfig
  /** In the order of the file, disabled ones included. */
  readonly gateways: readonly GatewayInstance[]
  readonly api: ApiConfig | undefined
}

/** Bounds of the sessions of each gateway, and of each bridge. */
export function sessionLimits({ gateways, broker }: EffectiveConfig): (name: string) => SessionLimits | undefined {
  const limits = new Map<string, SessionLimits>()
  for (const bridge of broker.bridges) limits.set(bridgeGateway(bridge.name), bridgeLimits(bridge))
  for (const { name, session } of gateways) limits.set(name, session)
  return (name) => limits.get(name)
}

/** With the limits of the broker core: clients and retained messages. */
export interface NodeConfig extends CoreLimits {
  readonly name: string
  /** Absolute. */
  readonly dataDir: string
  readonly durability: 'fsync' | 'os' | 'memory'
  readonly logLevel: LogLevel
  /** Whose names the `$SYS` topics have. */
  readonly sysTopics: readonly ('mosquitto' | 'emqx')[]
  /** Between two updates of the `$SYS` topics; 0 switches them off. */
  readonly sysIntervalMs: number
  /** Publish the wills of connected clients when the process, or their gateway, is stopped. */
  readonly willOnShutdown: boolean
  /** How long a stop waits for connections to drain. */
  readonly drainTimeoutMs: number
  /** Open connections and datagram peers over all listeners. */
  readonly maxConnections: number
}

export interface GatewayInstance {
  /** The key in the config. */
  readonly name: string
  /** Protocol name, package name or path, as written; the key when absent. */
  readonly use: string
  readonly enabled: boolean
  /** The manifest; undefined when disabled or when `fault` says why it could not be loaded. */
  readonly module: GatewayModule | undefined
  /** An enabled gateway that cannot run: report it as failed, run the others. */
  readonly fault: GatewayFault | undefined
  /** Prefix of every topic the devices name; may hold `${clientid}` and the like. */
  readonly mountpoint: string
  readonly session: SessionLimits
  readonly listeners: readonly ListenerConfig[]
  /** The gateway's own keys, validated and filled by the module's schema: its `GatewayContext.config`. */
  readonly own: unknown
}

export interface GatewayFault {
  readonly code: ErrorCode
  readonly reason: string
  /** What the operator can do. */
  readonly hint: string
}

/** All that a listener needs to be created, the gateway's sub-protocols included. TLS paths are absolute. */
export interface ListenerConfig extends ListenerOptions {
  /** Unique within the gateway: the operator's, or `tcp-1883`. */
  readonly name: string
  /** Where it stands in the config, for messages: `gateways.trucks.listeners[0]`. */
  readonly origin: string
}

export interface ApiConfig {
  readonly host: string
  readonly port: number
}
