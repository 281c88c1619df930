/** Limits of tests: as roomy as a node of its own, so that only tests about limits meet one. */
import type { CoreLimits } from '../broker/port.ts'
import type { SessionLimits } from '../sdk.ts'

export const TEST_CORE_LIMITS: CoreLimits = {
  maxClients: 4_000_000,
  maxRetained: 4_000_000,
  maxRetainedBytes: 1024 ** 3,
  maxQueuedBytes: 1024 ** 3,
  maxRetainedPayload: 1024 ** 3,
  maxTopicLevels: 65_536,
  maxTopicLength: 65_535,
  maxClientIdLength: 65_535,
  maxDelayed: 100_000,
  maxDelayedBytes: 1024 ** 3,
  sharedPolicy: 'round-robin',
}

export const TEST_LIMITS: SessionLimits = {
  maxInflight: 128,
  maxQueued: 1000,
  maxQueuedBytes: 1024 * 1024,
  dropPolicy: 'drop-oldest',
  queueQos0Offline: false,
  maxSubscriptions: 1000,
  maxPublishRate: 0,
  maxPublishBurst: 0,
  maxPublishByteRate: 0,
  maxPublishByteBurst: 0,
}
