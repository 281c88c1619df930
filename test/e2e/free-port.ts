/** Ports for the few tests that must know one before the server binds it. */
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Cleanup } from './child.ts'

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const released: (() => unknown)[] = []
  const port = await takenPort({ after: (release) => void released.push(release) })
  for (const release of released) await release()
  return port
}

/** A port that this process holds until the test is over. */
export async function takenPort(cleanup: Cleanup): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup.after(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}
