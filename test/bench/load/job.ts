/** What the bench asks of one generator process, and what it answers; both travel as plain data between processes. */

export type LoadQos = 0 | 1

/** MQTT in, MQTT out, in a closed loop, or (`rate`) in an open one. */
export interface MqttJob {
  readonly kind: 'mqtt'
  /** `fan-in`: one topic per publisher, subscribers take all of them. `fan-out`: one topic for everybody. */
  readonly shape: 'fan-in' | 'fan-out'
  /** What subscribers subscribe to, if not the topic of a fan-out or all of a fan-in. */
  readonly filter?: string
  readonly port: number
  readonly serverPid: number
  readonly publishers: number
  readonly subscribers: number
  readonly qos: LoadQos
  /** Publishes that may be on their way at once: not delivered to every subscriber yet. Does not count with a `rate`. */
  readonly window: number
  /** Publishes a second, whatever comes back. */
  readonly rate?: number
  /** The subscribers' sessions outlive their connections. */
  readonly persistent?: boolean
  /** The times of the result are how long the server leaves a ping unanswered, not the latencies of messages. */
  readonly pings?: boolean
  readonly warmSeconds: number
  readonly seconds: number
}

/** Retained messages, each of a topic of its own, that are published and then answered to one subscriber; with pings. */
export interface RetainedJob {
  readonly kind: 'retained'
  readonly port: number
  readonly serverPid: number
  readonly topics: number
}

export type DatagramProtocol = 'coap' | 'mqtt-sn'

/** Datagrams in; out comes a PUBLISH to an MQTT subscriber, or (`mqttPort` absent) only the answer of an echo server. */
export interface UdpJob {
  readonly kind: 'udp'
  /** What the devices speak. */
  readonly protocol: DatagramProtocol
  readonly udpPort: number
  readonly mqttPort?: number
  readonly serverPid: number
  readonly sockets: number
  readonly confirmable: boolean
  readonly window: number
  readonly warmSeconds: number
  readonly seconds: number
}

/** Connections that subscribe to one topic each and then do nothing. */
export interface IdleJob {
  readonly kind: 'idle'
  readonly port: number
  readonly serverPid: number
  readonly clients: number
  readonly settleSeconds: number
}

/** Reports of terminals on TCP; out comes JSON to an MQTT subscriber, or (`mqttPort` absent) only the answer. */
export interface TerminalJob {
  readonly kind: 'terminals'
  readonly devicePort: number
  readonly mqttPort?: number
  readonly serverPid: number
  readonly terminals: number
  readonly warmSeconds: number
  readonly seconds: number
}

/** Terminals that authenticate and then do nothing. */
export interface IdleTerminalsJob {
  readonly kind: 'idle-terminals'
  readonly devicePort: number
  readonly serverPid: number
  readonly clients: number
  readonly settleSeconds: number
}

export type Job = MqttJob | RetainedJob | UdpJob | IdleJob | TerminalJob | IdleTerminalsJob

/** One measured load. */
export interface LoadResult {
  readonly delivered: number
  readonly seconds: number
  readonly serverCpuSeconds: number
  readonly generatorCpuSeconds: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
  readonly rssKb: number
}

export interface MemoryResult {
  readonly clients: number
  readonly baseKb: number
  readonly rssKb: number
}

export type Answer = { readonly load: LoadResult } | { readonly memory: MemoryResult } | { readonly error: string }
