/** A gateway, an application that sees everything, and what it saw. */
import { type AppClient, type TestGateway, World } from '#testing'
import module from '../index.ts'

export interface Scene {
  readonly world: World
  readonly gateway: TestGateway
  readonly app: AppClient
}

export async function scene(config: unknown = {}, world = new World()): Promise<Scene> {
  const gateway = await world.gateway(module, config)
  const app = world.app('app')
  for (const filter of ['devices/+/up/#', 'devices/+/status']) app.subscribe(filter, { qos: 1 })
  app.take()
  return { world, gateway, app }
}

/** Type of each envelope, and reason of each status, since the last take. */
export function seen(app: AppClient): unknown[] {
  return app.take().map((received) => {
    const json = received.json() as { type?: string; online?: boolean; reason?: string }
    return json.type ?? (json.online === true ? 'online' : `offline: ${json.reason}`)
  })
}

export function join(...chunks: Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
}
