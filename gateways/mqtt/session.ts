/**
 * One MQTT connection, 3.1 to 5.0: packets in, acknowledgements and deliveries out. Dispatch and life cycle are here;
 * CONNECT, subscriptions and the octets have files of their own.
 *
 * Rule: what a peer may not send ends in `#refuse`, which counts it, tells a 5.0 client why, and closes.
 */
import type { IAuthPacket, IConnectPacket, IDisconnectPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import type {
  AuthenticationOutcome,
  CloseReason,
  ConnectOutcome,
  Delivery,
  Link,
  Malformed,
  PublishOutcome,
  Session,
  SubscribeOutcome,
} from '#sdk'
import { isAccepted, isMalformed, Message, malformed } from '#sdk'
import { Authenticating } from './authenticating.ts'
import {
  acknowledgementFault,
  isOutOfTurn,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  sendAck,
  sendAckReason,
  sendPingresp,
} from './codec/acks.ts'
import type { Version } from './codec/control.ts'
import { decodeControl, encodeWithin, withoutReason } from './codec/control.ts'
import type { PacketSink } from './codec/framer.ts'
import { PacketFramer } from './codec/framer.ts'
import { IncomingAliases } from './codec/incoming-aliases.ts'
import { IncomingPublish } from './codec/incoming-publish.ts'
import { OutgoingAliases } from './codec/outgoing-aliases.ts'
import { sendPublishV3, sendPublishV5, V3_NUMBERED, V3_PLAIN, V5_NUMBERED, V5_PLAIN } from './codec/publish.ts'
import {
  CLIENT_ID_INVALID,
  GOODBYES,
  isServersDisconnectReason,
  malformedReason,
  NO_MATCHING_SUBSCRIBERS,
  PACKET_ID_NOT_FOUND,
  publishReason,
  REFUSALS,
} from './codec/reasons.ts'
import type { Config } from './config.ts'
import type { Connect } from './connect.ts'
import { brokenConnack, connack, readConnect, redirectReason, refusal, refusalOf } from './connect.ts'
import { ReceivedIds } from './received-ids.ts'
import { Subscribing } from './subscribing.ts'

const CONNECT_TIMER = 0
const SILENCE_TIMER = 1

/** DISCONNECT with will, MQTT 5.0 section 3.14.2.1. */
const DISCONNECT_WITH_WILL = 0x04
/** Tags of publishes carry the packet identifier and, above it, the QoS. */
const TAG_QOS = 0x10000

type Phase = 'new' | 'connecting' | 'connected' | 'closed'

const incoming = new IncomingPublish()

export class MqttSession implements Session, PacketSink {
  readonly #link: Link
  readonly #config: Config
  readonly #framer: PacketFramer
  #phase: Phase = 'new'
  #version: Version = 4
  #silenceMs = 0
  /** Until it is answered. */
  #connect: Connect | undefined = undefined
  /** 5.0: the largest packet that the client takes [MQTT-3.1.2-24]. */
  #maximumPacketSize = Number.POSITIVE_INFINITY
  /** 5.0: it wants to be told in words why something failed [MQTT-3.1.2-29]. */
  #wantsReasons = false
  /** 5.0: the client asked for a session that ends with the connection, and may not change its mind [MQTT-3.14.2-2]. */
  #ephemeral = false
  /** While SUBSCRIBE packets wait for the broker's verdicts. */
  #subscribing: Subscribing | undefined = undefined
  #aliases: IncomingAliases | undefined = undefined
  #outgoingAliases: OutgoingAliases | undefined = undefined
  /** Of a 5.0 client that named an authentication method. */
  #authenticating: Authenticating | undefined = undefined
  /** What a 5.0 client is told where the reason of the close does not say enough. */
  #goodbye: { readonly code: number; readonly words: string } | undefined = undefined

  constructor(link: Link, config: Config) {
    this.#link = link
    this.#config = config
    this.#framer = new PacketFramer(config.maxPacketSize)
    link.arm(CONNECT_TIMER, config.connectTimeout)
  }

  // ---- events --------------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    if (this.#silenceMs > 0) this.#link.arm(SILENCE_TIMER, this.#silenceMs)
    this.#framer.push(bytes, this)
  }

  onTimer(timer: number): void {
    this.#link.close(timer === CONNECT_TIMER ? 'connect-timeout' : 'keepalive-timeout') // [MQTT-3.1.2-22]
  }

  onConnect(outcome: ConnectOutcome): void {
    const connect = this.#connect as Connect
    this.#connect = undefined
    if (!this.#send(connack(outcome, connect, this.#link.gateway, this.#config))) return
    if (!outcome.ok) {
      this.#link.close('not-authorized')
      return
    }
    this.#phase = 'connected'
    this.#authenticating?.accepted()
    this.#link.disarm(CONNECT_TIMER)
    this.#ephemeral = connect.request.expiryMs === 0
    if (connect.topicAliases > 0) this.#outgoingAliases = new OutgoingAliases(connect.topicAliases)
    this.#silenceMs = connect.silenceMs
    if (this.#silenceMs > 0) this.#link.arm(SILENCE_TIMER, this.#silenceMs)
  }

  onChallenge(data: Uint8Array | undefined): void {
    if (this.#phase === 'connecting') this.#link.arm(CONNECT_TIMER, this.#config.connectTimeout)
    this.#authenticating?.challenge(data)
  }

  onAuthenticated(outcome: AuthenticationOutcome): void {
    if (outcome.ok) return this.#authenticating?.acceptedAgain(outcome.data)
    this.#goodbye = { code: REFUSALS[outcome.reason], words: outcome.message ?? outcome.reason }
    this.#link.close('not-authorized') // [MQTT-4.12.1-2]
  }

  onDeliver(delivery: Delivery): void {
    if (delivery.released) {
      sendAck(PUBREL, delivery.id, this.#link) // [MQTT-4.4.0-1]
      return
    }
    if (this.#version < 5) {
      sendPublishV3(delivery, this.#link)
      return
    }
    if (sendPublishV5(delivery, this.#link, this.#link.now(), this.#maximumPacketSize, this.#outgoingAliases)) return
    // [MQTT-3.1.2-25]: as if it had been sent.
    this.#link.count('delivery-too-large')
    if (delivery.id !== 0) this.#link.ack(delivery.id)
  }

  onPublished(tag: number, outcome: PublishOutcome): void {
    const id = tag & 0xffff
    if (!isAccepted(outcome)) {
      this.#link.count(`publish-refused-${outcome}`)
      if (outcome === 'not-authorized' && this.#config.unauthorizedPublish === 'disconnect') {
        this.#link.close('not-authorized')
        return
      }
      // 3.x has no way to refuse: unacknowledged, the client sends it again on its next connection.
      if (outcome === 'unavailable' && this.#version < 5) {
        this.#link.close('unavailable')
        return
      }
    }
    const reason = publishReason(outcome)
    if (tag >= 2 * TAG_QOS) {
      if (reason < 0x80) ReceivedIds.of(this.#link).add(id, this.#link)
      this.#answer(PUBREC, id, reason, outcome)
    } else if (tag >= TAG_QOS) this.#answer(PUBACK, id, reason, outcome)
  }

  onSubscribed(tag: number, outcome: SubscribeOutcome): void {
    this.#subscribing?.granted(tag, outcome)
    if (this.#subscribing?.idle) this.#subscribing = undefined
  }

  onClose(reason: CloseReason): void {
    const connected = this.#phase === 'connected'
    this.#phase = 'closed'
    this.#framer.reset()
    const { redirect } = this.#config
    const isRedirected = reason === 'shutdown' && redirect !== undefined
    const code = this.#goodbye?.code ?? (isRedirected ? redirectReason(redirect) : GOODBYES[reason])
    // [MQTT-3.14.0-1]: no DISCONNECT before a successful CONNACK.
    if (this.#version < 5 || !connected || code === undefined) return
    const properties = { reasonString: this.#goodbye?.words ?? reason, ...(isRedirected && { serverReference: redirect.server }) }
    const told = encodeWithin({ cmd: 'disconnect', reasonCode: code, properties }, 5, this.#maximumPacketSize)
    if (told !== undefined) this.#link.send(told)
  }

  // ---- packets -------------------------------------------------------------------------------------------------

  packet(bytes: Uint8Array, start: number, body: number, end: number): boolean {
    const first = bytes[start] as number
    if (this.#phase !== 'connected') {
      if (this.#phase === 'closed') return false
      if (first >> 4 === 1 && this.#phase === 'new') this.#onConnectPacket(bytes.subarray(start, end))
      // [MQTT-3.1.2-30]: AUTH and DISCONNECT alone, while the client is asked to prove itself.
      else if (first >> 4 >= 14 && this.#authenticating?.isChallenged) this.#onControl(bytes.subarray(start, end))
      else this.#refuse(malformed('connect-expected', 0, true)) // [MQTT-3.1.0-1]
      return this.#mayGoOn()
    }
    switch (first >> 4) {
      case 3:
        this.#onPublish(bytes, start, body, end)
        return !this.#link.connecting
      case 4:
      case 5:
      case 6:
      case 7:
        this.#onAck(bytes, start, body, end)
        return true
      case 12:
        if (first !== 0xc0 || end !== body) this.#refuse(malformed('flags', 0, true))
        else sendPingresp(this.#link) // [MQTT-3.12.4-1]
        return true
      case 1:
        this.#refuse(malformed('second-connect', 0, true)) // [MQTT-3.1.0-2]
        return true
      default:
        this.#onControl(bytes.subarray(start, end))
        return true
    }
  }

  malformed(error: Malformed): void {
    // What stands behind a refused packet in its chunk is not looked at, as if it had come later.
    if (this.#phase !== 'closed') this.#refuse(error)
  }

  /** As a call, since the compiler does not see that a call before it may have changed the phase. */
  #mayGoOn(): boolean {
    return this.#phase === 'connected' || (this.#phase === 'connecting' && this.#authenticating?.isChallenged === true)
  }

  #onPublish(bytes: Uint8Array, start: number, body: number, end: number): void {
    const isV5 = this.#version === 5
    const fault = incoming.read(bytes, start, body, end, isV5) ?? this.#publishFault()
    if (fault !== undefined) return this.#refuse(malformed(fault, body, true))
    const { topic, qos, id, retain, payload, properties, expirySeconds, topicAlias } = incoming
    const message = Message.view(topic, bytes, payload, end, qos, retain, properties)
    if (expirySeconds !== undefined) message.expiresAt = this.#link.now() + expirySeconds * 1000
    else if (qos > 0) {
      if (topicAlias === undefined) message.setForm(isV5 ? V5_NUMBERED : V3_NUMBERED, bytes, start, end)
    } else if (!retain && topicAlias === undefined) message.setForm(isV5 ? V5_PLAIN : V3_PLAIN, bytes, start, end)
    if (qos === 0) this.#link.publish(message, this.#config.unauthorizedPublish === 'disconnect' ? 0 : undefined)
    else if (qos === 1) this.#link.publish(message, TAG_QOS | id)
    else this.#onExactlyOnce(message, id)
  }

  /** What this gateway does not take, although the packet is sound; resolves its alias. */
  #publishFault(): string | undefined {
    const { qos, retain, topicAlias } = incoming
    const { maximumQos, retainAvailable, topicAliasMaximum } = this.#config
    if (qos > maximumQos) return 'qos-unsupported' // [MQTT-3.2.2-11]
    if (retain && !retainAvailable) return 'retain-unsupported' // [MQTT-3.2.2-14]
    if (topicAlias === undefined) return undefined
    this.#aliases ??= new IncomingAliases()
    return this.#aliases.resolve(incoming, topicAliasMaximum)
  }

  /** [MQTT-4.3.3-2]: published once, however often it is sent before PUBREL. */
  #onExactlyOnce(message: Message, id: number): void {
    const received = ReceivedIds.of(this.#link)
    if (received.has(id)) this.#acknowledge(PUBREC, id, 0)
    else if (received.size >= this.#config.receiveMaximum)
      this.#refuse(malformed('receive-maximum', 0, true)) // [MQTT-3.3.4-7]
    else this.#link.publish(message, 2 * TAG_QOS + id)
  }

  #onAck(bytes: Uint8Array, start: number, body: number, end: number): void {
    const first = bytes[start] as number
    const type = first & 0xf0
    const fault = acknowledgementFault(bytes, start, body, end, this.#version === 5)
    if (fault !== undefined) return this.#refuse(malformed(fault, 0, true))
    const id = ((bytes[body] as number) << 8) | (bytes[body + 1] as number)
    const reason = end - body > 2 ? (bytes[body + 2] as number) : 0
    const link = this.#link
    if (isOutOfTurn(type, link.awaited(id))) return this.#refuse(malformed('acknowledgement-out-of-turn', 0, true))
    switch (type) {
      case PUBACK:
        if (!(reason < 0x80 ? link.ack(id) : link.nack(id, 'puback'))) link.count('puback-missed')
        return
      case PUBREC:
        if (reason >= 0x80) link.nack(id, 'pubrec')
        else if (link.received(id)) sendAck(PUBREL, id, link)
        else {
          link.count('pubrec-missed')
          this.#acknowledge(PUBREL, id, PACKET_ID_NOT_FOUND)
        }
        return
      case PUBCOMP:
        if (!link.ack(id)) link.count('pubcomp-missed')
        return
      default: // PUBREL
        this.#acknowledge(PUBCOMP, id, ReceivedIds.of(link).delete(id, link) ? 0 : PACKET_ID_NOT_FOUND)
    }
  }

  #onConnectPacket(frame: Uint8Array): void {
    const packet = decodeControl(frame, 'connect')
    if (isMalformed(packet)) return this.#refuseConnect(packet, frame)
    const connect = readConnect(packet as IConnectPacket, frame, this.#config)
    if ('malformed' in connect) return this.#refuseConnect(connect, frame)
    this.#connect = connect
    this.#phase = 'connecting'
    this.#version = connect.version
    this.#maximumPacketSize = connect.maximumPacketSize
    this.#wantsReasons = connect.wantsReasons
    this.#link.disarm(CONNECT_TIMER)
    const reason = refusalOf(connect, this.#config)
    if (reason !== undefined) {
      this.#send(refusal(reason, connect, this.#config))
      if (reason === CLIENT_ID_INVALID) return this.#refuse(malformed('client-id', 0, true))
      this.#link.count('connect-refused')
      return this.#link.close('not-authorized')
    }
    const { request } = connect
    if (request.authentication !== undefined) {
      const send = (answer: Packet): void => void this.#send(encodeWithin(answer, 5, this.#maximumPacketSize))
      this.#authenticating = new Authenticating(this.#link, request, request.authentication, send)
    }
    this.#link.connect(request)
  }

  #refuseConnect(error: Malformed, frame: Uint8Array): void {
    const answer = brokenConnack(error, frame)
    if (answer !== undefined) this.#link.send(answer)
    this.#refuse(error)
  }

  #onControl(frame: Uint8Array): void {
    const packet = decodeControl(frame, this.#version)
    if (isMalformed(packet)) return this.#refuse(packet)
    this.#subscribing ??= new Subscribing(this.#link, this.#version, this.#config, (answer) => this.#reply(answer))
    const subscribing = this.#subscribing
    let error: Malformed | undefined
    if (packet.cmd === 'subscribe') error = subscribing.subscribe(packet as ISubscribePacket)
    else if (packet.cmd === 'unsubscribe') error = subscribing.unsubscribe(packet as IUnsubscribePacket)
    else if (packet.cmd === 'disconnect') error = this.#onDisconnect(packet as IDisconnectPacket)
    else if (packet.cmd === 'auth') error = this.#onAuth(packet)
    else error = malformed('unexpected-packet', 0, true)
    if (subscribing.idle) this.#subscribing = undefined
    if (error !== undefined) this.#refuse(error)
  }

  #onDisconnect(packet: IDisconnectPacket): Malformed | undefined {
    if (isServersDisconnectReason(packet.reasonCode ?? 0)) return malformed('reason-code', 0, true) // [MQTT-3.14.2-1]
    const asked = packet.properties?.sessionExpiryInterval
    const expiryMs = asked === undefined ? undefined : Math.min(asked * 1000, this.#config.maxSessionExpiry)
    if (expiryMs !== undefined && expiryMs > 0 && this.#ephemeral) return malformed('session-expiry-raised', 0, true) // [MQTT-3.14.2-2]
    this.#link.disconnect(packet.reasonCode === DISCONNECT_WITH_WILL || (packet.reasonCode ?? 0) >= 0x80, expiryMs) // [MQTT-3.14.4-3]
    this.#link.close('disconnected')
    return undefined
  }

  /** A client that named no method sends no AUTH [MQTT-4.12.0-7]. */
  #onAuth(packet: IAuthPacket): Malformed | undefined {
    return this.#authenticating?.onAuth(packet) ? undefined : malformed('authentication', 0, true)
  }

  #acknowledge(first: number, id: number, reason: number): void {
    // 3.x knows no reasons; for success the short form serves 5.0 too.
    if (reason === 0 || this.#version < 5) sendAck(first, id, this.#link)
    else if (reason === NO_MATCHING_SUBSCRIBERS || reason >= 0x80) sendAckReason(first, id, reason, this.#link)
  }

  /** PUBACK or PUBREC; a refusal says why, to whom wants to know. */
  #answer(first: number, id: number, reason: number, outcome: PublishOutcome): void {
    if (reason < 0x80 || !this.#wantsReasons) return this.#acknowledge(first, id, reason)
    const cmd = first === PUBACK ? 'puback' : 'pubrec'
    this.#reply({ cmd, messageId: id, reasonCode: reason, properties: { reasonString: outcome } })
  }

  /** Sends a packet that the client can take, with or without its reason in words. */
  #reply(packet: Packet): void {
    this.#send(encodeWithin(this.#wantsReasons ? packet : withoutReason(packet), this.#version, this.#maximumPacketSize))
  }

  /** Undefined is too large for the client [MQTT-3.1.2-24]: there is no way to go on. */
  #send(packet: Uint8Array | undefined): boolean {
    if (packet !== undefined) {
      this.#link.send(packet)
      return true
    }
    this.#link.count('answer-too-large')
    this.#link.close('too-large')
    return false
  }

  #refuse(error: Malformed): void {
    this.#link.malformed(error)
    this.#goodbye = { code: malformedReason(error), words: error.malformed }
    this.#link.close(error.malformed === 'packet-too-large' ? 'too-large' : 'protocol-error')
  }
}
