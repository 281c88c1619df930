/** What a gateway's tests may import: the world without sockets and with virtual time. */
export { AppClient, type Received } from './testing/app-client.ts'
export { hex, text, unhex } from './testing/bytes.ts'
export { FakeOutside, type ServiceDouble } from './testing/fake-outside.ts'
export { FakeWire } from './testing/fake-wire.ts'
export { type FindGateway, runScenario, runScript, type ScriptGateway } from './testing/lockstep.ts'
export type { Notation } from './testing/lockstep-peer.ts'
export { parseScript, type Scenario, ScriptError } from './testing/lockstep-script.ts'
export { TestGateway, TestPeer, World, type WorldOptions } from './testing/world.ts'
