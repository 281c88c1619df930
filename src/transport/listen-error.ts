/** Why a listener could not be bound, in words for the operator. */
import { formatAddress } from './address.ts'

export type ListenErrorCode =
  | 'in-use' // another socket holds the address
  | 'denied' // the system does not let this user bind it
  | 'unavailable' // no such address on this machine
  | 'unresolved' // the host name has no address
  | 'tls' // certificate or key cannot be used
  | 'unsupported'
  | 'failed'

export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: ListenErrorCode

  constructor(code: ListenErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** What the system answered to a bind, as a `ListenError` that says what to do. */
export function bindError(kind: string, host: string, port: number, cause: Error): ListenError {
  const place = `${kind} ${formatAddress(host, port)}`
  const system = (cause as NodeJS.ErrnoException).code
  switch (system) {
    case 'EADDRINUSE':
      return new ListenError(
        'in-use',
        `${place} is already in use: stop the program that holds it, or set another port for this listener`,
        cause,
      )
    case 'EACCES':
    case 'EPERM':
      return new ListenError(
        'denied',
        `not allowed to bind ${place}: ports below 1024 need the capability CAP_NET_BIND_SERVICE; grant it, or set a higher port`,
        cause,
      )
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return new ListenError(
        'unavailable',
        `${place} is not an address of this machine: set one that is, or "0.0.0.0" or "[::]" for all of them`,
        cause,
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError('unresolved', `${place}: the host name has no address: set an IP address`, cause)
    default:
      return new ListenError('failed', `cannot bind ${place}: ${cause.message}`, cause)
  }
}
