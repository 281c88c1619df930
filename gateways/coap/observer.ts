/** One observation of a client: the token it is known by at its address, and the subscription that feeds it. */
import type { Delivery, Message, QoS } from '#sdk'
import { hasWildcard } from '#sdk'
import type { Block } from '#stacks/coap/block'
import { JSON_FORMAT } from '#stacks/coap/content-formats'
import type { Protect, Response } from '#stacks/coap/exchange'
import { type Notification, type NotificationOutcome, Observation, type ObservationOwner } from '#stacks/coap/observe'
import type { Call } from './call.ts'
import type { CoapClient } from './client.ts'
import type { FewMap } from './few-map.ts'
import type { Topic } from './pubsub/topic.ts'
import { replyOptions, represent, satisfies } from './representation.ts'
import { locationOf } from './topics.ts'

/** One filter on the broker, for every observation that the client has of it. */
export interface Subscription {
  readonly filter: string
  /** Subscription identifier: deliveries name it. */
  readonly id: number
  qos: QoS
  readonly observers: FewMap<Observer, Observer>
  /** What comes here is a command, and wants an answer. */
  readonly isCommands: boolean
  /** Who asked last: retained messages that the broker repeats are for that one. */
  newest: Observer | undefined
}

export class Observer implements ObservationOwner {
  readonly client: CoapClient
  readonly subscription: Subscription
  readonly qos: QoS
  readonly token: string
  readonly protect: Protect | undefined
  readonly accept: number | undefined
  /** The block size that the client asked for. */
  readonly block: Block | undefined
  readonly transferKey: string
  readonly observation: Observation
  /** The configured topic whose data it observes. */
  readonly topic: Topic | undefined
  /** Notifications sent so far. */
  notified = 0

  constructor(client: CoapClient, subscription: Subscription, qos: QoS, call: Call, topic: Topic | undefined) {
    const { accept, block2 } = call.target
    this.client = client
    this.subscription = subscription
    this.qos = qos
    this.topic = topic
    this.token = call.exchange.token
    this.protect = call.exchange.protect
    this.accept = accept
    this.block = block2
    this.transferKey = call.transferKey
    const { confirmAfter, confirmEvery } = client.gateway.config
    const checkAfter = Math.min(confirmAfter, topic?.checkAfterMs ?? confirmAfter)
    this.observation = new Observation(client, this.token, checkAfter, this, confirmEvery)
  }

  observationEnded(why: 'reset' | 'timeout'): void {
    this.client.observations.ended(this, why)
  }

  accepts(message: Message): boolean {
    return this.accept === undefined || satisfies(message, this.accept)
  }

  /** Whether notifications of this QoS are to be acknowledged. */
  confirms(qos: QoS): boolean {
    const { notifyType } = this.client.gateway.config
    return notifyType === 'qos' ? Math.min(qos, this.qos) > 0 : notifyType === 'con'
  }

  offer(task: DeliveryTask): void {
    this.observation.offer(new EventNotification(this, task))
  }
}

/** One delivery on its way to one observation or several: it has failed when none of them has it. */
export class DeliveryTask {
  readonly delivery: Delivery
  readonly #done: (failure: string | undefined) => void
  #open: number
  #hasArrived = false

  constructor(delivery: Delivery, receivers: number, done: (failure: string | undefined) => void) {
    this.delivery = delivery
    this.#open = receivers
    this.#done = done
  }

  /** Call once for each receiver. */
  settled(failure: string | undefined): void {
    if (failure === undefined) this.#hasArrived = true
    if (--this.#open === 0) this.#done(this.#hasArrived ? undefined : failure)
  }
}

/** Reasons of a refused delivery, as counters name them. */
const FAILURES: Readonly<Record<NotificationOutcome, string | undefined>> = {
  sent: undefined,
  acknowledged: undefined,
  reset: 'notification-reset',
  timeout: 'unreachable',
  cancelled: 'observation-ended',
}

class EventNotification implements Notification {
  readonly confirmable: boolean
  readonly #observer: Observer
  readonly #task: DeliveryTask

  constructor(observer: Observer, task: DeliveryTask) {
    this.#observer = observer
    this.#task = task
    this.confirmable = observer.confirms(task.delivery.qos)
  }

  render(sent: () => void): Response {
    const { client, subscription, accept, block, transferKey } = this.#observer
    const { session } = client
    const { message } = this.#task.delivery
    const fallback = subscription.isCommands ? JSON_FORMAT : undefined
    const { code, options = [], payload } = represent(message, session.link.now(), accept, fallback)
    const located = hasWildcard(subscription.filter) ? [...options, ...locationOf(message.topic)] : options
    const response = { code, options: [...located, ...replyOptions(message)], payload }
    if (block === undefined && message.size <= session.wholePayloadBytes) {
      sent()
      return response
    }
    return session.transfers.download(transferKey, response, block && { ...block, number: 0 }, sent) ?? response
  }

  settled(outcome: NotificationOutcome): void {
    if (outcome === 'acknowledged') this.#observer.client.heard()
    if (FAILURES[outcome] === undefined) this.#observer.notified++
    this.#task.settled(FAILURES[outcome])
  }
}
