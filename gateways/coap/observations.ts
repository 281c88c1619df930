/** All observations of one client, and the subscriptions behind them. RFC 7641 sections 3.6, 4.1, 4.2 */
import type { Delivery, Message, QoS, SubscribeOutcome } from '#sdk'
import { BAD_REQUEST, CON, CONTENT, NOT_ACCEPTABLE, NOT_FOUND, SERVICE_UNAVAILABLE, VALID } from '#stacks/coap/codes'
import type { Response } from '#stacks/coap/exchange'
import { ETAG } from '#stacks/coap/options'
import type { Call } from './call.ts'
import type { CoapClient } from './client.ts'
import { type Few, fewDelete, fewGet, fewSet, fewSize, fewValues } from './few.ts'
import { DeliveryTask, Observer, Subscription } from './observer.ts'
import type { Topic } from './pubsub/topic.ts'
import { qosOf } from './qos.ts'
import { representState } from './representation.ts'
import { refusal, retryLater, subscribeRefusal } from './responses.ts'
import type { AddressSession } from './session.ts'

/** MQTT 5.0 3.3.2.3.8 */
const MAX_SUBSCRIPTION_ID = 268_435_455

/** What a registration asks for. */
export interface Interest {
  readonly filter: string
  /** One topic and no filter: it has a value, which comes with the answer. */
  readonly isName: boolean
  readonly isCommands: boolean
  /** It is observed as the data of this configured topic. */
  readonly topic?: Topic
}

/**
 * Why an observation is over. `cancelled`: by the client. `closed`: with its client. `replaced`: the token, or the topic,
 * is used for something else now. `refused`: it never began. `removed`: there is nothing to observe. The others stand in RFC 7641 3.6, 4.2 and 4.5.
 */
export type ObservationEnd =
  | 'cancelled'
  | 'closed'
  | 'replaced'
  | 'refused'
  | 'removed'
  | 'format'
  | 'token-in-use'
  | 'reset'
  | 'timeout'

interface Registration {
  readonly observer: Observer
  readonly call: Call
  readonly interest: Interest
}

/** Its methods are `private` and not `#`, which would cost each of a million objects a word. */
export class Observations {
  readonly #client: CoapClient
  #byFilter: Few<string, Subscription> = undefined
  #byId: Few<number, Subscription> = undefined
  /** Registrations that the broker has not decided yet, by tag. */
  #registering: Map<number, Registration> | undefined = undefined
  #size = 0
  /** Names subscriptions and registrations. */
  #lastId = 0

  constructor(client: CoapClient) {
    this.#client = client
  }

  get size(): number {
    return this.#size
  }

  /** Answers the registration, at once or when the broker has decided. */
  register(call: Call, interest: Interest): void {
    const { exchange, session, target } = call
    const earlier = session.observer(exchange.token)
    if (earlier !== undefined && this.isSame(earlier, call, interest)) {
      this.confirm({ observer: earlier, call, interest })
      return
    }
    if (earlier?.protect !== undefined && earlier.client !== this.#client) {
      // RFC 8613 4.1.3.5.1: who has only seen the token does not end the observation.
      call.refuse(BAD_REQUEST, 'an observation of another client has this token')
      return
    }
    // RFC 7641 4.1: the token names one observation of this endpoint, the latest.
    if (earlier !== undefined) earlier.client.observations.end(earlier, 'replaced')
    const { config } = session.gateway
    if (this.#size >= config.limits.maxObservations) {
      this.refuseForRoom(call, interest)
      return
    }
    const { filter } = interest
    const qos = target.query.qos ?? qosOf(config.subscribeQos, exchange.type === CON)
    const subscription = this.subscriptionOf(interest, qos)
    const observer = new Observer(this.#client, subscription, qos, call, interest.topic)
    subscription.observers = fewSet(subscription.observers, observer, tokenOf)
    session.observed(observer)
    interest.topic?.observers.add(observer)
    this.#size++
    this.#client.link.count('observation-added')
    const tag = this.nextId()
    this.#registering ??= new Map()
    this.#registering.set(tag, { observer, call, interest })
    const { noLocal = false, retainHandling = 0 } = target.query
    this.#client.link.subscribe(
      filter,
      {
        qos: subscription.qos,
        noLocal,
        id: subscription.id,
        // The value of one topic is in the answer to the registration; those of a filter come as notifications.
        retainHandling: interest.isName ? 2 : retainHandling,
      },
      tag,
    )
  }

  subscribed(tag: number, outcome: SubscribeOutcome): void {
    const registration = this.#registering?.get(tag)
    if (registration === undefined) return
    this.#registering?.delete(tag)
    if (this.#registering?.size === 0) this.#registering = undefined
    if (typeof outcome === 'number') {
      this.confirm(registration)
    } else {
      this.end(registration.observer, 'refused')
      registration.call.respond(subscribeRefusal(outcome))
    }
  }

  /** Ends the observation with the request's token, or else every one of its topic: a new process has new tokens. */
  deregister({ exchange, session }: Call, filter: string): void {
    const observer = session.observer(exchange.token)
    if (observer?.client === this.#client) this.end(observer, 'cancelled')
    else for (const other of fewValues(fewGet(this.#byFilter, filter, filterOf)?.observers)) this.end(other, 'cancelled')
  }

  deliver(delivery: Delivery): void {
    const { link } = this.#client
    const receivers = this.receivers(delivery)
    if (receivers.length === 0) {
      link.nack(delivery.id, 'no-observation')
      return
    }
    const done = receivers.some(({ subscription }) => subscription.isCommands)
      ? this.#client.commands.accept(delivery)
      : (failure: string | undefined): void =>
          void (failure === undefined ? link.ack(delivery.id) : link.nack(delivery.id, failure))
    if (done === undefined) return
    const task = new DeliveryTask(delivery, receivers.length, done)
    for (const observer of receivers) {
      if (observer.topic !== undefined && isRemoval(delivery.message)) {
        this.finish(observer, refusal(NOT_FOUND, 'the data was deleted'), 'removed')
        task.settled(undefined)
        continue
      }
      if (observer.accepts(delivery.message)) {
        observer.offer(task)
        continue
      }
      // RFC 7641 4.2: what the client cannot accept ends the observation.
      this.finish(observer, refusal(NOT_ACCEPTABLE, 'the topic has another format now'), 'format')
      task.settled('not-acceptable')
    }
  }

  /** The client has a new address; notifications go there from now on. */
  moved(from: AddressSession): void {
    const { session } = this.#client
    for (const observer of this.all()) {
      from.unobserved(observer)
      if (session.observer(observer.token) !== undefined) {
        this.end(observer, 'token-in-use')
      } else {
        session.observed(observer)
        observer.observation.moved()
      }
    }
  }

  /** The client's address rested, and is there again. */
  resumed(session: AddressSession): void {
    for (const observer of this.all()) session.observed(observer)
  }

  /** Ends every observation, with a last message if there is one. */
  close(last: Response | undefined): void {
    const undecided = this.#registering?.values() ?? []
    this.#registering = undefined
    for (const { call } of undecided) call.respond(retryLater(SERVICE_UNAVAILABLE, 'the session has ended'))
    for (const observer of this.all()) {
      if (last === undefined) this.end(observer, 'closed')
      else this.finish(observer, last, 'closed')
    }
  }

  /** The client rejected a notification, or did not answer. RFC 7641 3.6, 4.5 */
  ended(observer: Observer, why: 'reset' | 'timeout'): void {
    this.remove(observer, why)
  }

  /** Ends an observation with a last message, which is no success. RFC 7641 4.2 */
  finish(observer: Observer, last: Response, why: ObservationEnd): void {
    observer.observation.conclude(last, observer.confirms(observer.qos))
    this.remove(observer, why)
  }

  /** Ends an observation without a word. */
  end(observer: Observer, why: ObservationEnd): void {
    observer.observation.cancel()
    this.remove(observer, why)
  }

  describe(): readonly Readonly<Record<string, unknown>>[] {
    return this.all().map(({ subscription, qos, token, notified, observation }) => ({
      filter: subscription.filter,
      qos,
      token: Buffer.from(token, 'latin1').toString('hex'),
      notified,
      unsettled: observation.unsettled,
    }))
  }

  private all(): Observer[] {
    return fewValues(this.#byFilter).flatMap(({ observers }) => fewValues(observers))
  }

  private isSame(observer: Observer, call: Call, { filter, isCommands, topic }: Interest): boolean {
    const { target } = call
    const { subscription } = observer
    return (
      observer.client === this.#client &&
      subscription.filter === filter &&
      observer.topic === topic &&
      subscription.isCommands === isCommands &&
      observer.accept === target.accept &&
      (target.query.qos ?? observer.qos) === observer.qos
    )
  }

  /** The observation stands: the answer carries the present value, where there is one. RFC 7641 3.1 */
  private confirm({ observer, call, interest }: Registration): void {
    const { session, target } = call
    // RFC 8613 4.1.3.5.1: from now on notifications are bound to this registration.
    observer.protect = call.exchange.protect
    const state = target.query.retainHandling === 2 ? undefined : this.state(interest)
    const response: Response =
      state === undefined || state === 'not-authorized'
        ? { code: CONTENT }
        : representState(state, session.link.now(), target.accept, target.options.opaques(ETAG))
    if (response.code !== CONTENT && response.code !== VALID) {
      this.end(observer, 'refused')
      call.respond(response)
      return
    }
    call.respond(response, [observer.observation.nextOption()])
    observer.observation.heard()
    observer.observation.start()
    this.#client.expectAnew()
  }

  /** RFC 7641 4.1: a plain answer, where there is one, says that the client was not added. */
  private refuseForRoom(call: Call, interest: Interest): void {
    const { session, target } = call
    session.count('observation-refused')
    const state = this.state(interest)
    if (state === undefined || state === 'not-authorized') {
      call.respond(retryLater(SERVICE_UNAVAILABLE, 'too many observations'))
    } else {
      call.respond(representState(state, session.link.now(), target.accept, target.options.opaques(ETAG)))
    }
  }

  /** A command is an event: that it was retained does not make it one for today. */
  private state({ filter, isName, isCommands }: Interest): Message | undefined | 'not-authorized' {
    return isName && !isCommands ? this.#client.link.retained(filter) : undefined
  }

  private subscriptionOf({ filter, isCommands }: Interest, qos: QoS): Subscription {
    let subscription = fewGet(this.#byFilter, filter, filterOf)
    if (subscription === undefined || subscription.isCommands !== isCommands) {
      for (const observer of fewValues(subscription?.observers)) this.end(observer, 'replaced')
      subscription = new Subscription(filter, this.nextId(), qos, isCommands)
      this.#byFilter = fewSet(this.#byFilter, subscription, filterOf)
      this.#byId = fewSet(this.#byId, subscription, idOf)
    }
    if (qos > subscription.qos) subscription.qos = qos
    return subscription
  }

  private nextId(): number {
    do this.#lastId = (this.#lastId % MAX_SUBSCRIPTION_ID) + 1
    while (fewGet(this.#byId, this.#lastId, idOf) !== undefined)
    return this.#lastId
  }

  private receivers(delivery: Delivery): Observer[] {
    const receivers: Observer[] = []
    for (const id of delivery.subscriptionIds ?? []) {
      const observers = fewValues(fewGet(this.#byId, id, idOf)?.observers)
      // What is retained was asked for by the newest of them.
      receivers.push(...(delivery.retain ? observers.slice(-1) : observers))
    }
    return receivers
  }

  private remove(observer: Observer, why: ObservationEnd): void {
    const { subscription, client } = observer
    if (fewGet(subscription.observers, observer.token, tokenOf) !== observer) return
    subscription.observers = fewDelete(subscription.observers, observer.token, tokenOf)
    this.#size--
    observer.topic?.observers.delete(observer)
    client.link.count(`observation-ended-${why}`)
    client.session.unobserved(observer)
    if (fewSize(subscription.observers) === 0) {
      this.#byFilter = fewDelete(this.#byFilter, subscription.filter, filterOf)
      this.#byId = fewDelete(this.#byId, subscription.id, idOf)
      client.link.unsubscribe(subscription.filter)
    }
    if (this.#size === 0) client.expectAnew()
  }
}

function filterOf({ filter }: Subscription): string {
  return filter
}

function idOf({ id }: Subscription): number {
  return id
}

function tokenOf({ token }: Observer): string {
  return token
}

/** MQTT 5.0 3.3.1.3: an empty retained message is the end of what was retained. */
function isRemoval({ size, retain }: Message): boolean {
  return size === 0 && retain
}
