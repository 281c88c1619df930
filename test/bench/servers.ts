/** The servers under load: how each is started so that nothing but its speed limits it, and nothing is dropped. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { DatagramProtocol } from './load/job.ts'
import { accepts, freeTcpPort, freeUdpPort } from './ports.ts'
import { benchProgram, productEntry, productFlags } from './project.ts'

export const SERVER_NAMES = ['omnigate', 'mosquitto', 'mosquitto-saved', 'aedes', 'udp-echo', 'jt808-ack'] as const
export type ServerName = (typeof SERVER_NAMES)[number]

const START_MS = 20_000

/** Where the temporary folders of this process are; emptied server by server, and as a whole at the end. */
const folders = new Set<string>()

export interface RunningServer {
  readonly child: Child
  readonly tcpPort: number
  readonly udpPort: number
  /** For JT/T 808 terminals. */
  readonly devicePort: number
  stop(): Promise<void>
}

interface Place {
  readonly tcpPort: number
  readonly udpPort: number
  readonly devicePort: number
  /** Whether the workload has JT/T 808 terminals. */
  readonly terminals: boolean
  /** What the workload speaks in datagrams; a gateway that it does not need stays off. */
  readonly datagrams: DatagramProtocol | undefined
  /** A temporary folder of its own. */
  readonly folder: string
}

interface Recipe {
  /** Why this server cannot run here; undefined when it can. */
  missing(): string | undefined
  /** What to run, after writing its config where it has one. */
  command(place: Place): { readonly file: string; readonly args: readonly string[] }
  /** Prints a line that begins with `ready`; without, it is ready when it accepts connections. */
  readonly printsReady: boolean
}

/** `saved`: everything goes to disk every second; what was acknowledged since is not there. */
function mosquittoConfig(place: Place, saved: boolean): string {
  const persistence = saved
    ? ['persistence true', `persistence_location ${place.folder}/`, 'autosave_interval 1', `user ${userInfo().username}`]
    : ['persistence false']
  return [
    `listener ${place.tcpPort} 127.0.0.1`,
    'allow_anonymous true',
    'set_tcp_nodelay true',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    ...persistence,
    'log_dest none',
    'log_type none',
    '',
  ].join('\n')
}

/** Limits that a closed loop on loopback must not run into: the load is bounded by its own window. */
function omnigateConfig(place: Place): string {
  const session = { maxInflight: 65_535, maxQueued: 1_000_000, maxQueuedBytes: '1GiB' }
  const limits = { maxConnectRate: 0, maxQueuedBytes: '1GiB' }
  const address = (port: number) => `127.0.0.1:${port}`
  const mqtt = { session, listeners: [{ type: 'tcp', bind: address(place.tcpPort), limits }] }
  const datagrams = { session, listeners: [{ type: 'udp', bind: address(place.udpPort), receiveBuffer: '4MiB', limits }] }
  const jt808 = { session, listeners: [{ type: 'tcp', bind: address(place.devicePort), limits }] }
  const gateways = {
    mqtt,
    ...(place.datagrams === undefined ? {} : { [place.datagrams]: datagrams }),
    ...(place.terminals ? { jt808 } : {}),
  }
  // JSON is YAML.
  return JSON.stringify({ node: { name: 'bench', dataDir: place.folder }, gateways, api: { bind: address(0) } })
}

function written(place: Place, name: string, text: string): string {
  const file = join(place.folder, name)
  writeFileSync(file, text, { mode: 0o644 })
  return file
}

function ownProgram(name: string, port: (place: Place) => number): Recipe {
  return {
    missing: () => undefined,
    command: (place) => ({ file: process.execPath, args: [benchProgram(name), String(port(place))] }),
    printsReady: true,
  }
}

function mosquitto(saved: boolean): Recipe {
  return {
    missing: () => (spawnSync('mosquitto', ['-h'], { stdio: 'ignore' }).error === undefined ? undefined : 'not installed'),
    command: (place) => ({ file: 'mosquitto', args: ['-c', written(place, 'mosquitto.conf', mosquittoConfig(place, saved))] }),
    printsReady: false,
  }
}

const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  omnigate: {
    missing: () => (existsSync(productEntry()) ? undefined : 'not built (npm run build)'),
    command: (place) => ({
      file: process.execPath,
      args: [...productFlags(), productEntry(), 'start', '--config', written(place, 'omnigate.yaml', omnigateConfig(place))],
    }),
    printsReady: true,
  },
  mosquitto: mosquitto(false),
  'mosquitto-saved': mosquitto(true),
  aedes: ownProgram('servers/aedes', (place) => place.tcpPort),
  'udp-echo': ownProgram('servers/udp-echo', (place) => place.udpPort),
  'jt808-ack': ownProgram('servers/jt808-ack', (place) => place.devicePort),
}

export function missingServer(name: ServerName): string | undefined {
  return RECIPES[name].missing()
}

/** Starts a server on free ports, pinned to `cpu`, and waits until it is ready. */
export async function startServer(
  name: ServerName,
  cpu: number | undefined,
  needs: { readonly datagrams: DatagramProtocol | undefined; readonly terminals: boolean },
): Promise<RunningServer> {
  const recipe = RECIPES[name]
  const folder = mkdtempSync(join(tmpdir(), `omnigate-bench-${name}-`))
  folders.add(folder)
  const place = { tcpPort: await freeTcpPort(), udpPort: await freeUdpPort(), devicePort: await freeTcpPort(), ...needs, folder }
  const child = Child.start({ ...recipe.command(place), cpu })
  const stop = async () => {
    await child.stop()
    removeFolder(folder)
  }
  try {
    const ready = recipe.printsReady ? () => /^ready/m.test(child.output) : () => accepts(place.tcpPort)
    await child.until(`${name} is ready`, START_MS, ready)
  } catch (error) {
    await stop()
    throw error
  }
  return { child, tcpPort: place.tcpPort, udpPort: place.udpPort, devicePort: place.devicePort, stop }
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folders.delete(folder)
}

/** Removes what `stop` did not get to remove. */
export function removeFolders(): void {
  for (const folder of folders) removeFolder(folder)
}
