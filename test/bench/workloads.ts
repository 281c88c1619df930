/** What is measured: each workload, the servers it is for, and the job it gives to the generator. */
import type { DatagramProtocol, Job, LoadQos, MqttJob } from './load/job.ts'
import type { RunningServer, ServerName } from './servers.ts'

/** How long and how large; `--quick` makes everything smaller. */
export interface Scale {
  readonly seconds: number
  readonly warmSeconds: number
  readonly idleClients: number
  readonly idleSettleSeconds: number
  readonly virtualClients: number
  readonly coapClients: number
  readonly wildcardSubscribers: number
  readonly retainedTopics: number
  /** Messages a second of an open loop; undefined until somebody says it or it is measured. */
  readonly rate: number | undefined
}

export const FULL: Scale = {
  seconds: 3,
  warmSeconds: 1,
  idleClients: 10_000,
  idleSettleSeconds: 6,
  virtualClients: 1_000_000,
  coapClients: 200_000,
  wildcardSubscribers: 10_000,
  retainedTopics: 1_000_000,
  rate: undefined,
}

export const QUICK: Scale = {
  seconds: 0.5,
  warmSeconds: 0.25,
  idleClients: 1_000,
  idleSettleSeconds: 0.5,
  virtualClients: 50_000,
  coapClients: 5_000,
  wildcardSubscribers: 1_000,
  retainedTopics: 50_000,
  rate: undefined,
}

interface Named {
  readonly name: string
  readonly title: string
  readonly servers: readonly ServerName[]
  /** What the ratio compares instead of messages per CPU-second, or memory. */
  readonly comparedBy?: 'p99Ms' | 'maxMs'
}

interface Load extends Named {
  /** What the devices speak, where they send datagrams. */
  readonly datagrams?: DatagramProtocol
  /** The servers need a port for JT/T 808 terminals. */
  readonly terminals?: boolean
  /** Runs at half of the rate that Omnigate reaches at most, unless `--rate` says another. */
  readonly openLoop?: boolean
  /** What the generator does to the server. */
  readonly job: (server: RunningServer, scale: Scale, serverName: ServerName) => Job
}

/** The measurement is a program of its own: its name, and what it is told between the number of clients and the seconds. */
export interface Alone extends Named {
  readonly job?: undefined
  readonly openLoop?: undefined
  readonly program: readonly [string, ...string[]]
  /** How many; as many as virtual clients unless it says so. */
  readonly clients?: (scale: Scale) => number
}

export type Workload = Load | Alone

const BROKERS: readonly ServerName[] = ['omnigate', 'mosquitto', 'aedes']

/** `more`: what the job has besides, or instead. */
function mqtt(
  name: string,
  title: string,
  shape: 'fan-in' | 'fan-out',
  qos: LoadQos,
  window: number,
  more: (scale: Scale) => Partial<MqttJob> = () => ({}),
): Load {
  const [publishers, subscribers] = shape === 'fan-in' ? [20, 1] : [1, 1000]
  return {
    name,
    title,
    servers: BROKERS,
    job: ({ child, tcpPort }, scale) => {
      const { warmSeconds, seconds } = scale
      const load = { shape, publishers, subscribers, qos, window, warmSeconds, seconds, ...more(scale) }
      return { kind: 'mqtt', port: tcpPort, serverPid: child.pid, ...load }
    },
  }
}

/** Open loops take half of what this reaches. */
export const FASTEST = mqtt('fanin-qos0-bursty', '20 publishers to 1 subscriber, QoS 0, 2000 outstanding', 'fan-in', 0, 2000)

const DURABLE: Load = {
  ...mqtt(
    'fanin-qos1-durable',
    '20 publishers to 1 subscriber with a persistent session, QoS 1, 2000 outstanding',
    'fan-in',
    1,
    2000,
    () => ({ persistent: true }),
  ),
  servers: ['omnigate', 'mosquitto', 'mosquitto-saved', 'aedes'],
}

const LATENCY: Load = {
  ...mqtt('latency', '20 publishers to 1 subscriber, QoS 0, at a fixed rate; the ratio is of p99', 'fan-in', 0, 0, ({ rate }) =>
    rate === undefined ? {} : { rate },
  ),
  servers: ['omnigate', 'mosquitto'],
  comparedBy: 'p99Ms',
  openLoop: true,
}

const PAUSES: readonly Load[] = [
  {
    ...mqtt(
      'pause-fanout',
      '1 publish after the other to all subscribers of one wildcard: how long a ping waits; the ratio is of the longest',
      'fan-out',
      0,
      1,
      ({ wildcardSubscribers }) => ({ filter: 'bcast/#', subscribers: wildcardSubscribers, pings: true }),
    ),
    servers: ['omnigate', 'mosquitto'],
    comparedBy: 'maxMs',
  },
  {
    name: 'pause-retained',
    title: 'retained topics published, then answered to one wildcard: how long a ping waits; the ratio is of the longest',
    servers: ['omnigate', 'mosquitto'],
    comparedBy: 'maxMs',
    job: ({ child, tcpPort }, { retainedTopics }) => ({
      kind: 'retained',
      port: tcpPort,
      serverPid: child.pid,
      topics: retainedTopics,
    }),
  },
]

/** Each has one report on its way. */
const TERMINALS = 256

const UDP_SOCKETS = 64

/** Below what the default receive buffer of a socket holds: about 270 small datagrams. */
const UDP_WINDOW = 128

function udp(name: string, what: string, protocol: DatagramProtocol, confirmable = false): Load {
  return {
    name,
    title: `${UDP_SOCKETS} UDP devices (${what}) to 1 MQTT subscriber; the peer only echoes datagrams`,
    servers: ['omnigate', 'udp-echo'],
    datagrams: protocol,
    job: (server, { warmSeconds, seconds }, serverName) => ({
      kind: 'udp',
      protocol,
      udpPort: server.udpPort,
      ...(serverName === 'udp-echo' ? {} : { mqttPort: server.tcpPort }),
      serverPid: server.child.pid,
      sockets: UDP_SOCKETS,
      confirmable,
      window: UDP_WINDOW,
      warmSeconds,
      seconds,
    }),
  }
}

export const WORKLOADS: readonly Workload[] = [
  FASTEST,
  mqtt('fanin-qos0-20', '20 publishers to 1 subscriber, QoS 0, 20 outstanding', 'fan-in', 0, 20),
  mqtt('fanin-qos1', '20 publishers to 1 subscriber, QoS 1, 2000 outstanding', 'fan-in', 1, 2000),
  mqtt('fanout-qos0', '1 publisher to 1000 subscribers, QoS 0, 20 publishes outstanding', 'fan-out', 0, 20),
  mqtt('fanout-qos1', '1 publisher to 1000 subscribers, QoS 1, 20 publishes outstanding', 'fan-out', 1, 20),
  DURABLE,
  LATENCY,
  ...PAUSES,
  udp('udp-to-mqtt', 'CoAP NON POST', 'coap'),
  udp('coap-con-to-mqtt', 'CoAP confirmable POST', 'coap', true),
  udp('mqtt-sn-to-mqtt', 'MQTT-SN PUBLISH, QoS 1', 'mqtt-sn'),
  {
    name: 'terminals-to-mqtt',
    title: `${TERMINALS} JT/T 808 terminals, one report each on its way, to 1 MQTT subscriber as JSON; the peer only answers`,
    servers: ['omnigate', 'jt808-ack'],
    terminals: true,
    job: (server, { warmSeconds, seconds }, serverName) => ({
      kind: 'terminals',
      devicePort: server.devicePort,
      ...(serverName === 'jt808-ack' ? {} : { mqttPort: server.tcpPort }),
      serverPid: server.child.pid,
      terminals: TERMINALS,
      warmSeconds,
      seconds,
    }),
  },
  {
    name: 'memory-terminal',
    title: 'idle JT/T 808 terminal on TCP',
    servers: ['omnigate'],
    terminals: true,
    job: (server, { idleClients, idleSettleSeconds }) => ({
      kind: 'idle-terminals',
      devicePort: server.devicePort,
      serverPid: server.child.pid,
      clients: idleClients,
      settleSeconds: idleSettleSeconds,
    }),
  },
  {
    name: 'memory-tcp-client',
    title: 'idle TCP client with one subscription',
    servers: BROKERS,
    job: (server, { idleClients, idleSettleSeconds }) => ({
      kind: 'idle',
      port: server.tcpPort,
      serverPid: server.child.pid,
      clients: idleClients,
      settleSeconds: idleSettleSeconds,
    }),
  },
  {
    name: 'memory-virtual-client',
    title: 'virtual client with one subscription, on the broker core alone',
    servers: ['omnigate'],
    program: ['servers/virtual-clients'],
  },
  {
    name: 'memory-coap-observer',
    title: 'idle CoAP client that logged in and observes one topic',
    servers: ['omnigate'],
    program: ['servers/coap-clients'],
    clients: ({ coapClients }) => coapClients,
  },
  {
    name: 'memory-mqtt-sn-sleeper',
    title: 'sleeping MQTT-SN client with one subscription and one registered topic',
    servers: ['omnigate'],
    program: ['servers/sleeping-clients', 'memory'],
  },
  {
    name: 'mqtt-sn-wake',
    title: 'MQTT-SN clients woken for a message each, among as many that sleep on',
    servers: ['omnigate'],
    program: ['servers/sleeping-clients', 'wake'],
  },
]
