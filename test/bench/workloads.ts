/** What is measured: each workload, the servers it is for, and the job it gives to the generator. */
import type { Job, LoadQos } from './load/job.ts'
import type { RunningServer, ServerName } from './servers.ts'

/** How long and how large; `--quick` makes everything smaller. */
export interface Scale {
  readonly seconds: number
  readonly warmSeconds: number
  readonly idleClients: number
  readonly idleSettleSeconds: number
  readonly virtualClients: number
  readonly coapClients: number
}

export const FULL: Scale = {
  seconds: 3,
  warmSeconds: 1,
  idleClients: 10_000,
  idleSettleSeconds: 6,
  virtualClients: 1_000_000,
  coapClients: 200_000,
}

export const QUICK: Scale = {
  seconds: 0.5,
  warmSeconds: 0.25,
  idleClients: 1_000,
  idleSettleSeconds: 0.5,
  virtualClients: 50_000,
  coapClients: 5_000,
}

export interface Workload {
  readonly name: string
  readonly title: string
  readonly servers: readonly ServerName[]
  /** The servers need a datagram port. */
  readonly datagrams?: boolean
  /** The servers need a port for JT/T 808 terminals. */
  readonly terminals?: boolean
  /** What the generator does to the server. */
  readonly job?: (server: RunningServer, scale: Scale, serverName: ServerName) => Job
  /** In place of a job: a program that is server and load in one, and gets the number of clients. */
  readonly program?: { readonly name: string; readonly clients: (scale: Scale) => number }
}

const BROKERS: readonly ServerName[] = ['omnigate', 'mosquitto', 'aedes']

function mqtt(name: string, title: string, shape: 'fan-in' | 'fan-out', qos: LoadQos, window: number): Workload {
  const [publishers, subscribers] = shape === 'fan-in' ? [20, 1] : [1, 1000]
  return {
    name,
    title,
    servers: BROKERS,
    job: (server, { warmSeconds, seconds }) => {
      const serverPid = server.child.pid
      return { kind: 'mqtt', shape, port: server.tcpPort, serverPid, publishers, subscribers, qos, window, warmSeconds, seconds }
    },
  }
}

/** Each has one report on its way. */
const TERMINALS = 256

const UDP_SOCKETS = 64

/** Below what the default receive buffer of a socket holds: about 270 small datagrams. */
const UDP_WINDOW = 128

function coap(name: string, kind: string, confirmable: boolean): Workload {
  return {
    name,
    title: `${UDP_SOCKETS} UDP devices (CoAP ${kind} POST) to 1 MQTT subscriber; the peer only echoes datagrams`,
    servers: ['omnigate', 'udp-echo'],
    datagrams: true,
    job: (server, { warmSeconds, seconds }, serverName) => ({
      kind: 'udp',
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
  mqtt('fanin-qos0-bursty', '20 publishers to 1 subscriber, QoS 0, 2000 outstanding', 'fan-in', 0, 2000),
  mqtt('fanin-qos0-20', '20 publishers to 1 subscriber, QoS 0, 20 outstanding', 'fan-in', 0, 20),
  mqtt('fanin-qos1', '20 publishers to 1 subscriber, QoS 1, 2000 outstanding', 'fan-in', 1, 2000),
  mqtt('fanout-qos0', '1 publisher to 1000 subscribers, QoS 0, 20 publishes outstanding', 'fan-out', 0, 20),
  mqtt('fanout-qos1', '1 publisher to 1000 subscribers, QoS 1, 20 publishes outstanding', 'fan-out', 1, 20),
  coap('udp-to-mqtt', 'NON', false),
  coap('coap-con-to-mqtt', 'confirmable', true),
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
    program: { name: 'servers/virtual-clients', clients: ({ virtualClients }) => virtualClients },
  },
  {
    name: 'memory-coap-observer',
    title: 'idle CoAP client that logged in and observes one topic',
    servers: ['omnigate'],
    program: { name: 'servers/coap-clients', clients: ({ coapClients }) => coapClients },
  },
]
