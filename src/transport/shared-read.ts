/**
 * Sockets that read into one buffer, whatever their number. Node.js would reserve 64 KiB for each read of an accepted
 * socket and give back what is not filled; copying the few hundred octets that mostly come costs less (ADR 0015).
 */
import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { Slab } from '../bytes/slab.ts'
import { copyRange } from './byte-ranges.ts'

const READ_BYTES = 65_536

/** What every read of every such socket is written to, until it is copied in the same call. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES)
const chunks = new Slab()

interface Accepted extends Socket {
  /** The native stream beneath. */
  _handle: object | null
}

/**
 * `accepted` read through the shared buffer: another socket over the same connection, which emits `data` as any other.
 * `accepted` must be fresh from a server with `pauseOnConnect` and is spent. Where the platform has no such handle, it is
 * returned as it is.
 */
export function readShared(accepted: Socket): Socket {
  const { _handle: handle } = accepted as Accepted
  if (handle === null || !('useUserBuffer' in handle)) return accepted
  ;(accepted as Accepted)._handle = null
  accepted.destroy() // its server counts it no more
  const onread: OnReadOpts = {
    buffer: shared,
    callback: (size) => {
      const at = chunks.reserve(size)
      const { bytes } = chunks
      copyRange(bytes, at, shared, 0, size)
      socket.emit('data', bytes.subarray(at, at + size))
      return true // reading goes on
    },
  }
  const options: SocketConstructorOpts & ConnectOpts & { handle: object } = { handle, onread }
  const socket: Socket = new Socket(options)
  return socket
}
