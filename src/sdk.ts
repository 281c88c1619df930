/** All that a gateway may import: the contract's types and a few pure helpers. No I/O, no clock. */
export * from './sdk/codec.ts'
export * from './sdk/commands.ts'
export * from './sdk/gateway.ts'
export * from './sdk/message.ts'
export * from './sdk/outside.ts'
export * from './sdk/session.ts'
export * from './sdk/topics.ts'
export * from './sdk/unified.ts'
