/** One observation of a client: the token it is known by at its address, and the subscription that feeds it. */
import type { Delivery, Message, QoS } from '#sdk'
import { hasWildcard } from '#sdk'
import type { Block } from '#stacks/coap/block'
import { JSON_FORMAT } from '#stacks/coap/content-formats'
import type { Protect, Response } from '#stacks/coap/exchange'
import type { MessageLayer } from '#stacks/coap/message-layer'
import { type Notification, type NotificationOutcome, Observation, type ObservationOwner } from '#stacks/coap/observe'
import { type Call, observedKey } from './call.ts'
import type { CoapClient } from './client.ts'
import type { Few } from './few.ts'
import type { Topic } from './pubsub/topic.ts'
import { replyOptions, represent, satisfies } from './representation.ts'
import { locationOf } from './topics.ts'

/** One filter on the broker, for every observation that the client has of it. */
export class Subscription {
  readonly filter: string
  /** Subscription identifier: deliveries name it. */
  readonly id: number
  qos: QoS
  /** What comes here is a command, and wants an answer. */
  readonly isCommands: boolean
  /** By token. */
  observers: Few<string, Observer> = undefined

  constructor(filter: string, id: number, qos: QoS, isCommands: boolean) {
    this.filter = filter
    this.id = id
    this.qos = qos
    this.isCommands = isCommands
  }
}

/** What few registrations ask for. */
interface Wishes {
  readonly accept: number | undefined
  /** The block size that the client asked for. */
  readonly block: Block | undefined
  /** The configured topic whose data it observes. */
  readonly topic: Topic | undefined
  readonly protect: Protect | undefined
}

export class Observer implements ObservationOwner {
  readonly client: CoapClient
  readonly subscription: Subscription
  readonly qos: QoS
  readonly token: string
  readonly observation: Observation
  /** Notifications sent so far. */
  notified = 0
  #wishes: Wishes | undefined

  constructor(client: CoapClient, subscription: Subscription, qos: QoS, call: Call, topic: Topic | undefined) {
    this.client = client
    this.subscription = subscription
    this.qos = qos
    this.token = call.exchange.token
    this.#wishes = wishesOf(call, topic)
    this.observation = new Observation(this)
  }

  get accept(): number | undefined {
    return this.#wishes?.accept
  }

  get block(): Block | undefined {
    return this.#wishes?.block
  }

  get topic(): Topic | undefined {
    return this.#wishes?.topic
  }

  /** As the latest registration was. */
  get protect(): Protect | undefined {
    return this.#wishes?.protect
  }

  set protect(protect: Protect | undefined) {
    const { accept, block, topic } = this
    if (protect !== this.protect) this.#wishes = { accept, block, topic, protect }
  }

  get endpoint(): MessageLayer {
    return this.client.session.endpoint
  }

  get confirmAfterMs(): number {
    return Math.min(this.client.gateway.config.confirmAfter, this.topic?.checkAfterMs ?? Number.POSITIVE_INFINITY)
  }

  get confirmEvery(): number {
    return this.client.gateway.config.confirmEvery
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

function wishesOf({ exchange, target }: Call, topic: Topic | undefined): Wishes | undefined {
  const { accept, block2: block } = target
  const { protect } = exchange
  const isPlain = accept === undefined && block === undefined && topic === undefined && protect === undefined
  return isPlain ? undefined : { accept, block, topic, protect }
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
    const { client, subscription, accept, block } = this.#observer
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
    const key = observedKey(client.id, subscription.filter, accept)
    return session.transfers.download(key, response, block && { ...block, number: 0 }, sent) ?? response
  }

  settled(outcome: NotificationOutcome): void {
    if (outcome === 'acknowledged') this.#observer.client.heard()
    if (FAILURES[outcome] === undefined) this.#observer.notified++
    this.#task.settled(FAILURES[outcome])
  }
}
