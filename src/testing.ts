/** What a gateway's tests may import: the world without sockets and with virtual time. */
export { AppClient, type Received } from './testing/app-client.ts'
export { hex, text, unhex } from './testing/bytes.ts'
export { FakeWire } from './testing/fake-wire.ts'
export { TestGateway, TestPeer, World, type WorldOptions } from './testing/world.ts'
