/** The topic that a path names, while it lives. */
import { NOT_FOUND } from '#stacks/coap/codes'
import type { Call } from '../call.ts'
import type { CoapGateway } from '../gateway.ts'
import type { Topic } from '../pubsub/topic.ts'
import { refusal } from '../responses.ts'

/** Undefined when there is none, or its expiration date has passed: then it is deleted, as if its owner had done so. */
export function findTopic(call: Call, id = call.target.segments[1] ?? ''): Topic | undefined {
  const { gateway, link } = call.session
  const topic = gateway.topics.get(id)
  if (topic === undefined || !topic.isExpired(link.now())) return topic
  forget(gateway, topic)
  return undefined
}

/** Deletes the topic; its observers are told. */
export function forget(gateway: CoapGateway, topic: Topic): void {
  gateway.topics.delete(topic)
  for (const observer of [...topic.observers]) {
    observer.client.observations.finish(observer, refusal(NOT_FOUND, 'the topic was deleted'), 'removed')
  }
}
