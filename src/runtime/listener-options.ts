/** From the operator's listener config to what the transport binds. */
import type { ListenerConfig } from '../config/effective.ts'
import type { ListenerOptions } from '../transport/listener.ts'

export function listenerOptions(config: ListenerConfig, subprotocols: readonly string[] | undefined): ListenerOptions {
  const { type, host, port, path, proxyProtocol, tls, limits } = config
  return {
    type,
    host,
    port,
    path,
    subprotocols,
    tls: tls === undefined ? undefined : { ...tls, requireClientCert: tls.requestClientCert },
    proxyProtocol,
    limits,
  }
}
