/** A child process with few file descriptors: a TCP listener that echoes. */
import { createListener } from '../../../src/transport/listener.ts'
import { LIMITS, makeTotal } from './loopback.ts'

const limits = { ...LIMITS, maxConnections: 1000 }
const listener = createListener({ type: 'tcp', host: '127.0.0.1', port: 0, proxyProtocol: false, limits }, makeTotal())
await listener.listen((wire) => ({
  onBytes: (bytes) => wire.send(bytes, 0, bytes.length),
  onDrain() {},
  onClosed() {},
}))
process.send?.({ port: Number(listener.address.split(':')[1]) })
process.on('disconnect', () => process.exit())
