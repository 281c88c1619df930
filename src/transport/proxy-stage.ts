/** Reads the PROXY header off a socket, before anything else looks at it. */
import type { Socket } from 'node:net'
import { isMalformed } from '../sdk.ts'
import { type ProxyHeader, ProxyHeaderParser } from './proxy-protocol.ts'

/** A load balancer sends the header at once. */
const HEADER_TIMEOUT_MS = 3000

/**
 * Calls `done` with the header, the socket paused and the bytes behind the header still in it; or with undefined once
 * the header was late or broken, or the socket closed before it was complete: then the socket is destroyed.
 */
export function readProxyHeader(socket: Socket, done: (header: ProxyHeader | undefined) => void): void {
  const parser = new ProxyHeaderParser()
  let finished = false
  const timer = setTimeout(fail, HEADER_TIMEOUT_MS)
  socket.on('data', read)
  socket.on('close', fail)
  socket.on('error', fail) // stays: between stages an error without a listener would end the process

  function read(chunk: Buffer): void {
    const outcome = parser.push(chunk)
    if (outcome === undefined) return
    if (isMalformed(outcome)) return fail()
    stop()
    socket.pause()
    if (parser.consumed < chunk.length) socket.unshift(chunk.subarray(parser.consumed))
    done(outcome)
  }

  function fail(): void {
    if (finished) return
    stop()
    socket.destroy()
    done(undefined)
  }

  function stop(): void {
    finished = true
    clearTimeout(timer)
    socket.off('data', read)
    socket.off('close', fail)
  }
}
