/** Checks that need every gateway at once: addresses wanted twice, and what other machines can reach. */
import { formatAddress } from '../transport/address.ts'
import { collide, isExposed } from './bind.ts'
import type { Problem } from './errors.ts'
import type { IssueContext } from './issues.ts'
import type { PlacedListener } from './listeners.ts'
import { formatPath, type Path } from './path.ts'

type Locate = IssueContext['locate']

export function duplicateBinds(placed: readonly PlacedListener[], locate: Locate): Problem[] {
  const problems: Problem[] = []
  for (const [index, { listener, path }] of placed.entries()) {
    const rival = placed.slice(0, index).find((other) => collide(other.listener, listener))
    if (rival === undefined) continue
    problems.push({
      code: 'listener-bind-duplicate',
      ...bindPlace(path, locate),
      message: `${listener.type} ${formatAddress(listener.host, listener.port)} is taken by ${rival.listener.origin} (${formatAddress(rival.listener.host, rival.listener.port)})`,
      hint: 'give one of the two another port',
    })
  }
  return problems
}

/** A warning for each listener that lets anybody on the network in. */
export function exposedListeners(placed: readonly PlacedListener[], locate: Locate): Problem[] {
  return placed
    .filter(({ listener }) => isExposed(listener.host) && listener.tls?.requireClientCert !== true)
    .map(({ listener, path }) => ({
      code: 'anonymous-access-exposed',
      ...bindPlace(path, locate),
      message: `${listener.type} ${formatAddress(listener.host, listener.port)} is open to other machines, and devices need no credentials`,
      hint: 'bind 127.0.0.1, or let a firewall decide who reaches the port',
    }))
}

function bindPlace(path: Path, locate: Locate): { path: string; source: string } {
  const bind = [...path, 'bind']
  return { path: formatPath(bind), source: locate(bind, 'value') }
}
