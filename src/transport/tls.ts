/** The TLS stage of a stream listener: handshake on an accepted socket, and who the client proved to be. */
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { createSecureContext, Server, type TLSSocket } from 'node:tls'
import { ListenError } from './listen-error.ts'
import type { TlsOptions } from './listener.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000

/** PEM contents; files are read, and what cannot be used is a `ListenError`. */
export async function loadCredentials(options: TlsOptions): Promise<TlsOptions> {
  const credentials = {
    ...options,
    cert: await readPem(options.cert, 'certificate'),
    key: await readPem(options.key, 'key'),
    ca: options.ca === undefined ? undefined : await readPem(options.ca, 'CA certificate'),
  }
  try {
    createSecureContext(contextOptions(credentials))
  } catch (error) {
    const reason = (error as Error).message
    throw new ListenError(
      'tls',
      `the TLS certificate, key or CA cannot be used: ${reason}: check that they are PEM and belong together`,
      error,
    )
  }
  return credentials
}

async function readPem(source: string, what: string): Promise<string> {
  if (source.includes('-----BEGIN')) return source
  try {
    return await readFile(source, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new ListenError(
      'tls',
      `cannot read the TLS ${what} "${source}" (${reason}): set the path of a readable PEM file`,
      error,
    )
  }
}

function contextOptions(options: TlsOptions) {
  const { cert, key, passphrase, ca, ciphers } = options
  return {
    cert,
    key,
    minVersion: 'TLSv1.2' as const,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ca === undefined ? {} : { ca }),
    ...(ciphers === undefined ? {} : { ciphers }),
  }
}

export interface TlsStageEvents<Origin> {
  /** The handshake is done. `identity`: common name of a verified client certificate. */
  secured(socket: TLSSocket, origin: Origin, identity: string | undefined): void
  /** The handshake failed or was late, and the socket is closed. */
  refused(): void
}

/** Never listens itself: sockets are given to it. `Origin` is whatever belongs to the socket underneath. */
export class TlsStage<Origin> {
  readonly #events: TlsStageEvents<Origin>
  readonly #server: Server
  /** Of the handshakes under way. */
  readonly #origins = new Map<string, Origin>()

  constructor(credentials: TlsOptions, events: TlsStageEvents<Origin>) {
    this.#server = new Server({
      ...contextOptions(credentials),
      ...(credentials.applicationProtocols !== undefined && { ALPNProtocols: [...credentials.applicationProtocols] }),
      requestCert: credentials.requestClientCert === true || credentials.requireClientCert === true,
      rejectUnauthorized: credentials.requireClientCert === true,
      handshakeTimeout: credentials.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
    })
    this.#events = events
    this.#server.on('secureConnection', (socket) => {
      const origin = this.#take(connectionKey(socket))
      if (origin === undefined) socket.destroy()
      else events.secured(socket, origin, socket.authorized ? commonName(socket) : undefined)
    })
    this.#server.on('tlsClientError', (_, socket) => socket.destroy())
  }

  start(socket: Socket, origin: Origin): void {
    const key = connectionKey(socket)
    this.#origins.set(key, origin)
    socket.on('close', () => {
      if (this.#take(key) !== undefined) this.#events.refused()
    })
    socket.on('error', ignore) // the encrypted socket above it tells
    this.#server.emit('connection', socket)
  }

  #take(key: string): Origin | undefined {
    const origin = this.#origins.get(key)
    this.#origins.delete(key)
    return origin
  }
}

function ignore(): void {}

/** Two sockets that are open at once never share it; the encrypted socket answers as the one underneath. */
function connectionKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`
}

function commonName(socket: TLSSocket): string | undefined {
  const name: unknown = socket.getPeerCertificate().subject?.CN
  return typeof name === 'string' && name !== '' ? name : undefined
}
