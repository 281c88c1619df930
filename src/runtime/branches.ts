/** The sessions on one wire besides the first. Mostly there is one, as for a datagram peer that is one device: it costs no set. */

export type Branches<Host extends object> = Host | Set<Host> | undefined

export function withBranch<Host extends object>(branches: Branches<Host>, host: Host): Branches<Host> {
  if (branches === undefined) return host
  return branches instanceof Set ? branches.add(host) : new Set([branches, host])
}

export function withoutBranch<Host extends object>(branches: Branches<Host>, host: Host): Branches<Host> {
  if (branches === host) return undefined
  if (!(branches instanceof Set)) return branches
  branches.delete(host)
  return branches.size === 0 ? undefined : branches
}

/** As they are now: changes do not disturb whoever walks them. */
export function allBranches<Host extends object>(branches: Branches<Host>): readonly Host[] {
  if (branches === undefined) return []
  return branches instanceof Set ? [...branches] : [branches]
}
